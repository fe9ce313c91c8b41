//! `securityContext` of a Pod and of its containers: as whom a container runs and what it may do.

use super::super::reader::{Reader, Value};
use super::super::{checks, values};
use super::{fields, keys};
use crate::plan::Service;

const NUMBER: std::ops::RangeInclusive<i64> = 0..=2_147_483_647;

/// What both levels say; a container's word counts over its Pod's.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    user: Option<u32>,
    group: Option<u32>,
    is_non_root: bool,
    pub(super) groups: Vec<String>,
    pub(super) sysctls: Vec<(String, String)>,
}

impl Identity {
    /// `user[:group]` of a container, where either level names it.
    pub(super) fn user(&self, reader: &mut Reader<'_>, container: &Value<'_>) -> Option<String> {
        if self.is_non_root && self.user.is_none_or(|user| user == 0) {
            reader.refuse(
                container,
                "it must not run as root, and no other user is named",
                "write `runAsUser`: the user of an image is not known before it is fetched",
            );
        }
        match (self.user, self.group) {
            (Some(user), Some(group)) => Some(format!("{user}:{group}")),
            (Some(user), None) => Some(user.to_string()),
            (None, Some(_)) => {
                reader.refuse(
                    container,
                    "a group is named without a user",
                    "write `runAsUser`, too",
                );
                None
            }
            (None, None) => None,
        }
    }

    /// A key that both levels have; false where this is none.
    fn key_of(&mut self, reader: &mut Reader<'_>, key: &str, value: &Value<'_>) -> bool {
        match key {
            "runAsUser" => self.user = reader.whole(value, NUMBER),
            "runAsGroup" => self.group = reader.whole(value, NUMBER),
            "runAsNonRoot" => self.is_non_root = reader.flag(value).unwrap_or_default(),
            "seccompProfile" | "appArmorProfile" => profile(reader, key, value),
            "seLinuxOptions" | "windowsOptions" => {
                reader.unsupported(value, key, "remove it: the guest's own protection stays on");
            }
            _ => return false,
        }
        true
    }
}

/// The profile of the guest is the only one.
fn profile(reader: &mut Reader<'_>, name: &str, value: &Value<'_>) {
    for (key, field) in fields::of(reader, value, &keys::PROFILE) {
        let is_ours = key == "type" && field.node.text() == Some("RuntimeDefault");
        if !is_ours {
            reader.refuse(
                &field,
                format!("`{name}` cannot be chosen: the guest's own protection stays on"),
                "write `type: RuntimeDefault`, or remove it",
            );
        }
    }
}

/// Reads the Pod's.
pub(super) fn of_pod(reader: &mut Reader<'_>, value: &Value<'_>) -> Identity {
    let mut identity = Identity::default();
    for (key, field) in fields::of(reader, value, &keys::POD_SECURITY) {
        match key {
            "supplementalGroups" => {
                let items = reader.items(&field);
                let groups = items
                    .iter()
                    .filter_map(|item| reader.whole::<u32>(item, NUMBER));
                identity.groups = groups.map(|group| group.to_string()).collect();
            }
            "supplementalGroupsPolicy" if field.node.text() == Some("Merge") => {}
            "sysctls" => {
                let items = reader.items(&field);
                identity.sysctls = items
                    .iter()
                    .filter_map(|item| sysctl(reader, item))
                    .collect();
            }
            "fsGroup"
            | "fsGroupChangePolicy"
            | "supplementalGroupsPolicy"
            | "seLinuxChangePolicy" => {
                reader.refuse_key(
                    &field,
                    format!("`{key}` is not supported: nothing changes the owner of what a volume holds"),
                    "remove it; `supplementalGroups` adds a group, and an init container may set owners",
                );
            }
            _ if identity.key_of(reader, key, &field) => {}
            _ => keys::POD_SECURITY.refuse(reader, &field, key),
        }
    }
    identity
}

fn sysctl(reader: &mut Reader<'_>, item: &Value<'_>) -> Option<(String, String)> {
    let (mut name, mut content) = (None, None);
    for (key, field) in fields::of(reader, item, &keys::NAMED_VALUE) {
        match key {
            "name" => {
                let remedy = "use one of net., kernel.shm, kernel.msg, kernel.sem or fs.mqueue.";
                name = Some(reader.parsed(&field, values::sysctl, remedy)?);
            }
            "value" => content = Some(reader.text(&field)?.to_string()),
            _ => keys::NAMED_VALUE.refuse(reader, &field, key),
        }
    }
    if name.is_none() || content.is_none() {
        reader.refuse(
            item,
            "the name or the value is missing",
            "write both `name` and `value`",
        );
    }
    name.zip(content)
}

/// Reads a container's over its Pod's.
pub(super) fn of_container(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    identity: &mut Identity,
    service: &mut Service,
) {
    let mut escalation = None;
    for (key, field) in fields::of(reader, value, &keys::CONTAINER_SECURITY) {
        match key {
            "privileged" => {
                service.privileged = reader.flag(&field).unwrap_or_default();
                checks::privileged(reader, &field, service);
            }
            "readOnlyRootFilesystem" => service.read_only = reader.flag(&field).unwrap_or_default(),
            "allowPrivilegeEscalation" => {
                let allowed = reader.flag(&field);
                service.no_new_privileges = allowed == Some(false);
                escalation = (allowed == Some(true)).then_some(field);
            }
            "capabilities" => capabilities(reader, &field, service),
            "procMount" if field.node.text() == Some("Default") => {}
            _ if identity.key_of(reader, key, &field) => {}
            _ => keys::CONTAINER_SECURITY.refuse(reader, &field, key),
        }
    }
    if let Some(escalation) = escalation {
        checks::no_escalation(reader, &escalation, service);
    }
    if service.privileged && service.no_new_privileges {
        reader.refuse(
            value,
            "it is privileged, and not allowed to gain privileges",
            "remove one of the two",
        );
    }
}

fn capabilities(reader: &mut Reader<'_>, value: &Value<'_>, service: &mut Service) {
    const REMEDY: &str = "write a name of capabilities(7), or ALL";
    for (key, field) in fields::of(reader, value, &keys::CAPABILITIES) {
        match key {
            "add" => service.cap_add = reader.each(&field, values::capability, REMEDY),
            "drop" => service.cap_drop = reader.each(&field, values::capability, REMEDY),
            _ => keys::CAPABILITIES.refuse(reader, &field, key),
        }
    }
}
