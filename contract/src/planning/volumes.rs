//! The data volumes: both parties' halves put together, each under the passphrase that only both can make.
//!
//! A key that comes from anywhere but the two seeds cannot be honoured in this version, and stops the contract: a
//! volume under a weaker key than was asked for would be a broken promise.

use std::collections::BTreeMap;

use super::{Part, refuse_as};
use crate::finding::{Finding, Level, keep};
use crate::messages;
use crate::passphrase::{self, Seeds};
use crate::plan::{Create, Filesystem, HeaderRecord, Mount, Service, VIRTIO_SERIAL, Volume};
use crate::secret::SecretString;
use crate::sections::env::EnvSection;
use crate::sections::volumes::{self as written, EnvVolume, WorkloadVolume};
use crate::sections::workload::WorkloadSection;
use crate::workload::paths;
use crate::yaml::{Document, step};

/// Where a volume is mounted if the contract does not say.
const DEFAULT_MOUNT: &str = "/mnt/data";

/// What belongs to the appliance: no volume at, in or over any of these.
const RESERVED: [&str; 23] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/hpcr",
    "/init",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/cache",
    "/var/hyperprotect",
    "/var/lib/containers",
    "/var/lib/hpcr",
    "/var/log",
    "/var/run",
    "/var/tmp",
];

/// Puts the two sections' volumes together, in the order of their names.
pub(super) fn volumes(
    workload: &Part<'_, WorkloadSection>,
    env: &Part<'_, EnvSection>,
) -> Result<Vec<Volume>, Vec<Finding>> {
    let mut findings = unmatched(workload, env);
    findings.extend(foreign_keys(env));
    findings.extend(shared_disks(env));
    let places = keep(&mut findings, places(workload)).unwrap_or_default();
    let mut volumes = Vec::new();
    for (name, of_workload) in &workload.section.volumes {
        let Some(of_env) = env.section.volumes.get(name) else {
            continue;
        };
        let Some(env_seed) = &of_env.seed else {
            if of_env.uv_secret_id.is_none() {
                let (cause, remedy) = ("the env's seed is missing", "add `seed`");
                findings.push(refuse_key(env.document, name, "seed", cause, remedy));
            }
            continue;
        };
        let Some(mount) = places.get(name.as_str()) else {
            continue;
        };
        volumes.push(volume(name, mount, (of_workload, of_env), env_seed));
    }
    if findings.is_empty() {
        Ok(volumes)
    } else {
        Err(findings)
    }
}

/// Where the workload section wants its volumes, whether they can be made or not: what binds them is then not told of
/// their faults, too.
pub(super) fn mounts(section: &WorkloadSection) -> Vec<String> {
    let wanted = section.volumes.values();
    wanted
        .filter_map(|volume| paths::absolute(volume.mount.as_deref().unwrap_or(DEFAULT_MOUNT)).ok())
        .collect()
}

/// Volumes that no container mounts: what is meant to be kept there is written elsewhere, and lost.
pub(super) fn idle(workload: &Part<'_, WorkloadSection>, services: &[Service]) -> Vec<Finding> {
    let is_mounted = |path: &str| {
        let mut mounts = services.iter().flat_map(|service| &service.mounts);
        mounts.any(
            |mount| matches!(mount, Mount::Bind { source, .. } if paths::is_within(source, path)),
        )
    };
    let mut findings = Vec::new();
    for (name, volume) in &workload.section.volumes {
        let Ok(path) = paths::absolute(volume.mount.as_deref().unwrap_or(DEFAULT_MOUNT)) else {
            continue;
        };
        if !is_mounted(&path) {
            findings.push(Finding::warning(
                messages::VOLUME_IDLE,
                workload.document.place(&format!("/volumes/{name}")),
                "no container mounts this volume, so nothing is kept on it",
                format!("bind {path} into the container that keeps data (`{path}:/data`), or remove the volume"),
            ));
        }
    }
    findings
}

/// Keys of the env section that change nothing here.
pub(super) fn idle_keys(env: &Part<'_, EnvSection>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, volume) in &env.section.volumes {
        let mut tell = |key: &str, cause: &str| {
            let place = env.document.place(&format!("/volumes/{name}/{key}"));
            let finding = Finding::warning(messages::UNKNOWN_KEY, place, cause, "leave it out");
            findings.push(finding);
        };
        if volume.api_key.is_some() {
            tell(
                "apiKey",
                "the guest knows disks by their serial and asks no cloud",
            );
        }
        if volume.kms_timeout.is_some() && volume.kms.is_none() {
            tell("kmsTimeout", "there is no `kms`");
        }
    }
    findings
}

/// Volumes that only one section names.
fn unmatched(workload: &Part<'_, WorkloadSection>, env: &Part<'_, EnvSection>) -> Vec<Finding> {
    let tell = |document: &Document, other: &str, name: &str| {
        let cause = format!("the {other} section has no volume of this name");
        let remedy = "name the same volumes in both sections";
        refuse_as(
            messages::VOLUME_NAMES,
            document,
            &format!("/volumes/{name}"),
            &cause,
            remedy,
        )
    };
    let (ours, theirs) = (&workload.section.volumes, &env.section.volumes);
    let without_env = ours.keys().filter(|name| !theirs.contains_key(*name));
    let without_workload = theirs.keys().filter(|name| !ours.contains_key(*name));
    without_env
        .map(|name| tell(workload.document, "env", name))
        .chain(without_workload.map(|name| tell(env.document, "workload", name)))
        .collect()
}

/// One volume of both parties' halves.
fn volume(
    name: &str,
    mount: &str,
    (workload, env): (&WorkloadVolume, &EnvVolume),
    env_seed: &SecretString,
) -> Volume {
    let env_seeds = Seeds {
        current: env_seed,
        previous: env.previous_seed.as_ref(),
    };
    let workload_seeds = Seeds {
        current: &workload.seed,
        previous: workload.previous_seed.as_ref(),
    };
    Volume {
        name: name.to_owned(),
        disk: disk(name, env).1.to_owned(),
        mount: mount.to_owned(),
        filesystem: workload.filesystem.map_or(Filesystem::Ext4, filesystem),
        passphrase: passphrase::passphrase(env_seed, &workload.seed),
        previous_passphrases: passphrase::previous(env_seeds, workload_seeds),
        create: create(workload, env),
        header_record: header_record(workload, env),
    }
}

/// How the disk of a volume is known, and the key that says so; without one, its own name serves.
fn disk<'a>(name: &'a str, env: &'a EnvVolume) -> (Option<&'static str>, &'a str) {
    match (&env.volume_id, &env.volume_name) {
        (Some(id), _) => (Some("/volumeID"), id),
        (None, Some(id)) => (Some("/volumeName"), id),
        (None, None) => (None, name),
    }
}

/// Volumes for which one disk would serve: the guest never guesses which of them it holds.
pub(super) fn shared_disks(env: &Part<'_, EnvSection>) -> Vec<Finding> {
    let (mut serials, mut findings) = (BTreeMap::new(), Vec::new());
    for (name, volume) in &env.section.volumes {
        let (key, id) = disk(name, volume);
        if let Some(other) = serials.insert(serial(id), name) {
            let pointer = format!("/volumes/{}{}", step(name), key.unwrap_or_default());
            let cause = format!(
                "it asks for the disk of the volume {other}, too (of a name, the first {VIRTIO_SERIAL} characters count)"
            );
            let remedy = "give every volume a disk of its own, by `volumeID` or `volumeName`";
            let code = messages::DISK_INVALID_INPUT;
            findings.push(refuse_as(code, env.document, &pointer, &cause, remedy));
        }
    }
    findings
}

/// What is left of a disk's name in the serial that the guest may see.
fn serial(id: &str) -> &[u8] {
    let bytes = id.as_bytes();
    &bytes[..bytes.len().min(VIRTIO_SERIAL)]
}

/// Keys of the env's half that ask for another key source.
pub(super) fn foreign_keys(env: &Part<'_, EnvSection>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, volume) in &env.section.volumes {
        let keys = [
            ("kms", volume.kms),
            ("grep11", volume.grep11),
            ("uv-secret-id", volume.uv_secret_id),
            ("uv-previous-secret-id", volume.uv_previous_secret_id),
        ];
        for (key, _) in keys.iter().filter(|(_, present)| present.is_some()) {
            let cause = format!(
                "`{key}` is not supported: the volume would be under a weaker key than is asked for"
            );
            let remedy = "write `seed` and leave the other key source out";
            let finding = refuse_key(env.document, name, key, &cause, remedy);
            findings.push(finding.with_level(Level::Limit));
        }
    }
    findings
}

/// Where each volume of the workload's half is mounted: not over the appliance, and not over another volume's data.
pub(super) fn places<'a>(
    workload: &Part<'a, WorkloadSection>,
) -> Result<BTreeMap<&'a str, String>, Vec<Finding>> {
    let overlap =
        |one: &str, other: &str| paths::is_within(one, other) || paths::is_within(other, one);
    let (mut places, mut findings) = (BTreeMap::<&str, String>::new(), Vec::new());
    for (name, volume) in &workload.section.volumes {
        let tell = |cause: &str| {
            let remedy = "choose a folder of its own, such as /mnt/data";
            refuse_key(workload.document, name, "mount", cause, remedy)
        };
        match paths::absolute(volume.mount.as_deref().unwrap_or(DEFAULT_MOUNT)) {
            Err(cause) => findings.push(tell(cause)),
            Ok(mount) if RESERVED.iter().any(|reserved| overlap(&mount, reserved)) => {
                findings.push(tell("this path belongs to the appliance"));
            }
            Ok(mount) => match places.iter().find(|(_, other)| overlap(&mount, other)) {
                Some((other, _)) => findings.push(tell(&format!(
                    "the path and that of the volume {other} overlap"
                ))),
                None => drop(places.insert(name, mount)),
            },
        }
        if volume
            .filesystem
            .is_some_and(|one| filesystem(one) != Filesystem::Ext4)
        {
            let (cause, remedy) = (
                "only ext4 is supported",
                "leave `filesystem` out, or write `ext4`",
            );
            let finding = refuse_key(workload.document, name, "filesystem", cause, remedy);
            findings.push(finding.with_level(Level::Limit));
        }
    }
    if findings.is_empty() {
        Ok(places)
    } else {
        Err(findings)
    }
}

fn refuse_key(document: &Document, name: &str, key: &str, cause: &str, remedy: &str) -> Finding {
    let pointer = format!("/volumes/{name}/{key}");
    refuse_as(
        messages::DISK_INVALID_INPUT,
        document,
        &pointer,
        cause,
        remedy,
    )
}

fn filesystem(filesystem: written::Filesystem) -> Filesystem {
    match filesystem {
        written::Filesystem::Ext4 => Filesystem::Ext4,
        written::Filesystem::Xfs => Filesystem::Xfs,
        written::Filesystem::Btrfs => Filesystem::Btrfs,
    }
}

/// The stricter party wins.
fn create(workload: &WorkloadVolume, env: &EnvVolume) -> Create {
    if [workload.create, env.create].contains(&Some(written::Create::Never)) {
        Create::Never
    } else {
        Create::IfBlank
    }
}

/// The stricter party wins.
fn header_record(workload: &WorkloadVolume, env: &EnvVolume) -> HeaderRecord {
    if [workload.header_record, env.header_record].contains(&Some(written::HeaderRecord::Require)) {
        HeaderRecord::Require
    } else {
        HeaderRecord::Adopt
    }
}
