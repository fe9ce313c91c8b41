//! Reads one service: the table of keys that are understood.

use super::super::interpolation::Variables;
use super::super::reader::{Reader, Value};
use super::super::room::Whole;
use super::super::sources::{self, Files};
use super::super::{Surroundings, amounts, checks, image, paths, values};
use super::configs::Declared;
use super::depends::{self, Need};
use super::{environment, health, limits, mounts, network, refused, words};
use crate::plan::{Dependency, Port, Restart, Service};

/// The longest time that a service may take to stop, in milliseconds.
const LONGEST_GRACE: u64 = 600_000;

/// What services of one file may refer to.
pub(super) struct Around<'a> {
    pub(super) surroundings: &'a Surroundings<'a>,
    pub(super) configs: Declared<'a>,
    pub(super) secrets: Declared<'a>,
    pub(super) files: Files,
    pub(super) env_files: environment::EnvFiles,
    /// What the texts of all services may take.
    pub(super) whole: Whole,
}

/// A service, and what is decided once all of them are known.
pub(super) struct Read<'n> {
    /// None where its image cannot be run.
    pub(super) service: Option<Service>,
    pub(super) needs: Vec<Need<'n>>,
    /// The ports that each entry publishes.
    pub(super) ports: Vec<(Value<'n>, Vec<Port>)>,
    /// The service whose network namespace it shares.
    pub(super) joins: Option<(String, Value<'n>)>,
    /// Whether none of its profiles is asked for.
    pub(super) is_idle: bool,
    /// Whether one is asked for is not known here.
    pub(super) may_be_idle: bool,
}

/// Reads a service.
pub(super) fn read<'n>(
    reader: &mut Reader<'_>,
    name: &str,
    value: &Value<'n>,
    around: &mut Around<'_>,
) -> Read<'n> {
    let mut read = Read {
        service: None,
        needs: Vec::new(),
        ports: Vec::new(),
        joins: None,
        is_idle: false,
        may_be_idle: false,
    };
    if !value.is_mapping() {
        reader.expected("a mapping", value);
        return read;
    }
    let mut entries = reader.entries(value);
    // One without a value counts as left out.
    entries.retain(|(key, value)| !(value.is_null() && KEYS.contains(key)));
    let find = |wanted: &str| {
        let found = entries.iter().find(|(key, _)| *key == wanted);
        found.map(|(_, value)| value)
    };
    let Some(image) = find("image") else {
        reader.refuse(
            value,
            "the service has no image",
            "name an image by its digest",
        );
        return read;
    };
    let image = image::read(
        reader,
        image,
        &format!("the service {name}"),
        around.surroundings,
    );
    // Whatever the image is, the other keys are looked at.
    let mut service = Service::new(name, image.clone().unwrap_or_else(image::refused));
    // First: it says what its temporary file systems are for.
    if let Some(value) = find("read_only") {
        service.read_only = reader.flag(value).unwrap_or_default();
    }
    for (key, value) in &entries {
        match *key {
            // Below, in an order of their own.
            "environment" | "env_file" | "deploy" | "image" | "read_only" | "security_opt" => {}
            "depends_on" => read.needs = depends::read(reader, value),
            "ports" => read.ports = network::published(reader, value),
            "network_mode" => {
                read.joins = network::mode(reader, value).map(|other| (other, value.clone()));
            }
            "profiles" => {
                let is_idle = is_idle(reader, value, around.surroundings.variables);
                read.may_be_idle = is_idle && around.surroundings.is_open;
                read.is_idle = is_idle && !read.may_be_idle;
                if read.may_be_idle {
                    reader.not_known();
                }
            }
            "configs" => {
                let mounts = around.configs.mounts(reader, value, &mut around.files);
                service.mounts.extend(mounts);
            }
            "secrets" => {
                let mounts = around.secrets.mounts(reader, value, &mut around.files);
                service.mounts.extend(mounts);
            }
            _ => key_of(reader, &mut service, key, value, around.surroundings),
        }
    }
    let (env_file, environment) = (find("env_file"), find("environment"));
    let mut room = around.whole.room();
    service.environment = environment::read(
        reader,
        env_file,
        environment,
        around.surroundings,
        &mut around.env_files,
        &mut room,
    );
    for (key, words) in [
        ("entrypoint", &mut service.entrypoint),
        ("command", &mut service.command),
    ] {
        let fits = words.iter().flatten().try_for_each(|word| room.word(word));
        if let (Some(at), Err(cause)) = (find(key), fits) {
            reader.refuse(at, cause, environment::LARGE);
            *words = None;
        }
    }
    if let Some(options) = find("security_opt") {
        security_options(reader, &mut service, options);
    }
    if let Some(deploy) = find("deploy") {
        limits::deploy(reader, &mut service, deploy);
    }
    let ports = read.ports.iter().flat_map(|(_, ports)| ports);
    service.ports = ports.cloned().collect();
    sources::once_each(reader, value, &service.mounts);
    checks::unmounted(reader, value, &service, around.surroundings.volumes);
    service.depends_on = read.needs.iter().map(dependency).collect();
    read.service = image.map(|_| service);
    read
}

fn dependency(need: &Need<'_>) -> Dependency {
    Dependency {
        service: need.service.clone(),
        condition: need.condition,
    }
}

/// The keys that stand for themselves.
fn key_of(
    reader: &mut Reader<'_>,
    service: &mut Service,
    key: &str,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) {
    if limits::key_of(reader, &mut service.limits, key, value) {
        return;
    }
    match key {
        "command" => service.command = command(reader, value),
        "entrypoint" => service.entrypoint = command(reader, value),
        "expose" => network::exposed(reader, value),
        "extra_hosts" => service.extra_hosts = network::extra_hosts(reader, value),
        "networks" => network::of_service(reader, value),
        "volumes" => {
            service
                .mounts
                .extend(mounts::read(reader, value, surroundings, service.read_only));
        }
        "tmpfs" => service
            .mounts
            .extend(mounts::tmpfs(reader, value, service.read_only)),
        "healthcheck" => service.health.extend(health::read(reader, value)),
        "working_dir" => {
            service.working_dir = reader.parsed(value, paths::absolute, "write an absolute path");
        }
        "hostname" => {
            service.hostname = reader.parsed(value, values::hostname, "write a name such as web-1");
        }
        "scale" => limits::one_replica(reader, value),
        "platform" => {
            let remedy = "write linux/s390x or linux/amd64, or remove it";
            service.architecture = reader.parsed(value, values::architecture, remedy);
        }
        "pull_policy" => pull_policy(reader, value),
        "init" | "tty" | "stdin_open" | "oom_kill_disable" if reader.flag(value) != Some(true) => {}
        // What only names or describes: nothing of it reaches the guest.
        "container_name" | "labels" | "label_file" | "annotations" => {}
        _ if privileges(reader, service, key, value) || life(reader, service, key, value) => {}
        _ => match refused::of_service(key) {
            Some(remedy) => reader.unsupported(value, key, remedy),
            None => reader.unknown(value, key, &format!("{}, x-...", KEYS.join(", "))),
        },
    }
}

/// The keys that say as whom a service runs and what it may do; false where this is none.
fn privileges(
    reader: &mut Reader<'_>,
    service: &mut Service,
    key: &str,
    value: &Value<'_>,
) -> bool {
    const CAPABILITY: &str = "write a name of capabilities(7), or ALL";
    match key {
        "user" => {
            let remedy = "write `user` or `user:group`, by name or number";
            service.user = reader.parsed(value, values::user, remedy);
        }
        "group_add" => {
            service.groups = reader.each(value, values::group, "write a group by name or number");
        }
        "privileged" => {
            service.privileged = reader.flag(value).unwrap_or_default();
            checks::privileged(reader, value, service);
        }
        "cap_add" => service.cap_add = reader.each(value, values::capability, CAPABILITY),
        "cap_drop" => service.cap_drop = reader.each(value, values::capability, CAPABILITY),
        "sysctls" => sysctls(reader, service, value),
        _ => return false,
    }
    true
}

/// The keys of a service's life; false where this is none.
fn life(reader: &mut Reader<'_>, service: &mut Service, key: &str, value: &Value<'_>) -> bool {
    match key {
        "restart" => {
            let remedy = "write no, always, unless-stopped or on-failure, with a number of tries (on-failure:3)";
            service.restart = reader
                .parsed(value, values::restart, remedy)
                .unwrap_or(Restart::No);
        }
        "stop_grace_period" => {
            let bounded = |text: &str| match amounts::milliseconds(text)? {
                time if time > LONGEST_GRACE => Err("this is longer than ten minutes"),
                time => Ok(time.div_ceil(1_000)),
            };
            let remedy = "write a duration up to ten minutes, such as 30s or 1m30s";
            service.stop_grace_seconds = reader.parsed(value, bounded, remedy).unwrap_or_default();
        }
        "stop_signal" => {
            service.stop_signal =
                reader.parsed(value, values::signal, "write a name such as SIGTERM");
        }
        _ => return false,
    }
    true
}

/// The keys that are understood.
const KEYS: [&str; 50] = [
    "image",
    "command",
    "entrypoint",
    "environment",
    "env_file",
    "ports",
    "expose",
    "extra_hosts",
    "networks",
    "network_mode",
    "volumes",
    "tmpfs",
    "configs",
    "secrets",
    "healthcheck",
    "depends_on",
    "restart",
    "stop_grace_period",
    "stop_signal",
    "deploy",
    "scale",
    "profiles",
    "mem_limit",
    "mem_reservation",
    "cpus",
    "cpu_shares",
    "pids_limit",
    "shm_size",
    "ulimits",
    "oom_score_adj",
    "user",
    "group_add",
    "working_dir",
    "hostname",
    "read_only",
    "privileged",
    "cap_add",
    "cap_drop",
    "security_opt",
    "sysctls",
    "platform",
    "pull_policy",
    "init",
    "tty",
    "stdin_open",
    "oom_kill_disable",
    "container_name",
    "labels",
    "label_file",
    "annotations",
];

/// Whether none of the profiles is named by `COMPOSE_PROFILES` of the contract's environment.
fn is_idle(reader: &mut Reader<'_>, value: &Value<'_>, variables: &Variables) -> bool {
    use crate::secret::ExposeSecret as _;
    let profiles = reader.texts(value);
    let active = variables
        .get("COMPOSE_PROFILES")
        .map_or("", |value| value.expose_secret());
    let is_active = |profile: &String| {
        active
            .split(',')
            .map(str::trim)
            .any(|active| active == "*" || active == profile)
    };
    !profiles.is_empty() && !profiles.iter().any(is_active)
}

/// A command as one string, split as a shell would, or as a list.
fn command(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Vec<String>> {
    if value.is_text() {
        return reader.parsed(value, words::split, "close every quote, or write a list");
    }
    Some(reader.texts(value))
}

/// `pull_policy`: an image named by digest is fetched once in each boot, whatever the words for that are.
fn pull_policy(reader: &mut Reader<'_>, value: &Value<'_>) {
    let known = |text: &str| match text {
        "always" | "missing" | "if_not_present" => Ok(()),
        _ => Err("this pull policy cannot be kept: a guest begins without any image"),
    };
    reader.parsed(
        value,
        known,
        "remove it: an image is fetched once, by its digest",
    );
}

fn security_options(reader: &mut Reader<'_>, service: &mut Service, value: &Value<'_>) {
    for item in reader.items(value) {
        let Some(text) = reader.text(&item) else {
            continue;
        };
        let (name, argument) = text.split_once([':', '=']).unwrap_or((&text, "true"));
        match (name, argument) {
            ("no-new-privileges", "true") => service.no_new_privileges = true,
            ("no-new-privileges", "false") => checks::no_escalation(reader, &item, service),
            ("seccomp" | "apparmor" | "label" | "systempaths", _) => reader.refuse(
                &item,
                format!("`{name}` cannot be set: the guest's own protection stays on"),
                "remove it, or add the one capability that the program needs (`cap_add`)",
            ),
            _ => reader.refuse(
                &item,
                "this security option is not known",
                "write no-new-privileges:true, or remove it",
            ),
        }
    }
}

fn sysctls(reader: &mut Reader<'_>, service: &mut Service, value: &Value<'_>) {
    const REMEDY: &str = "write `name=value` with a parameter of net., kernel.shm, kernel.msg, kernel.sem or fs.mqueue.";
    if value.is_mapping() {
        for (name, field) in reader.entries(value) {
            let name = reader.accept(&field, values::sysctl(name), REMEDY);
            let text = reader.scalar(&field).map(|text| text.to_string());
            service.sysctls.extend(name.zip(text));
        }
        return;
    }
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').ok_or("the value is missing")?;
        Ok((values::sysctl(name)?, value.to_owned()))
    };
    service.sysctls.extend(reader.each(value, pair, REMEDY));
}
