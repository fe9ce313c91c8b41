//! The data volumes: both parties' halves put together, each under the passphrase that only both can make.
//!
//! A key that comes from anywhere but the two seeds cannot be honoured in this version, and stops the contract: a
//! volume under a weaker key than was asked for would be a broken promise.

use crate::finding::{Finding, Place};
use crate::messages;
use crate::passphrase::{self, Seeds};
use crate::plan::{Create, Filesystem, HeaderRecord, Volume};
use crate::sections::volumes::{
    self as written, EnvVolume, EnvVolumes, WorkloadVolume, WorkloadVolumes,
};
use crate::workload::paths;

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
    workload: &WorkloadVolumes,
    env: &EnvVolumes,
) -> Result<Vec<Volume>, Vec<Finding>> {
    let mut findings = unmatched(workload, env);
    let mut volumes: Vec<Volume> = Vec::new();
    for (name, workload) in workload {
        let Some(env) = env.get(name) else { continue };
        match volume(name, workload, env) {
            Ok(volume) => match beside(&volume, &volumes) {
                None => volumes.push(volume),
                Some(finding) => findings.push(finding),
            },
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() {
        Ok(volumes)
    } else {
        Err(findings)
    }
}

fn unmatched(workload: &WorkloadVolumes, env: &EnvVolumes) -> Vec<Finding> {
    let tell = |section: &str, other: &str, name: &str| {
        Finding::new(
            messages::VOLUME_NAMES,
            Place::at(section, format!("volumes.{name}")),
            format!("the {other} section has no volume of this name"),
            "name the same volumes in both sections",
        )
    };
    let without_env = workload
        .keys()
        .filter(|name| !env.contains_key(*name))
        .map(|name| tell("workload", "env", name));
    let without_workload = env
        .keys()
        .filter(|name| !workload.contains_key(*name))
        .map(|name| tell("env", "workload", name));
    without_env.chain(without_workload).collect()
}

fn volume(name: &str, workload: &WorkloadVolume, env: &EnvVolume) -> Result<Volume, Vec<Finding>> {
    let mut findings = foreign_keys(name, env);
    let mount = mount(name, workload).map_err(|finding| findings.push(finding));
    let (Some(env_seed), Ok(mount), true) = (&env.seed, mount, findings.is_empty()) else {
        if env.seed.is_none() && env.uv_secret_id.is_none() {
            findings.push(refuse(
                "env",
                name,
                "seed",
                "the env's seed is missing",
                "add `seed`",
            ));
        }
        return Err(findings);
    };
    let env_seeds = Seeds {
        current: env_seed,
        previous: env.previous_seed.as_ref(),
    };
    let workload_seeds = Seeds {
        current: &workload.seed,
        previous: workload.previous_seed.as_ref(),
    };
    Ok(Volume {
        name: name.to_owned(),
        disk: env
            .volume_id
            .as_ref()
            .or(env.volume_name.as_ref())
            .map_or(name, String::as_str)
            .to_owned(),
        mount,
        filesystem: workload.filesystem.map_or(Filesystem::Ext4, filesystem),
        passphrase: passphrase::passphrase(env_seed, &workload.seed),
        previous_passphrases: passphrase::previous(env_seeds, workload_seeds),
        create: create(workload, env),
        header_record: header_record(workload, env),
    })
}

fn refuse(section: &str, volume: &str, key: &str, cause: &str, remedy: &str) -> Finding {
    let place = Place::at(section, format!("volumes.{volume}.{key}"));
    Finding::new(messages::DISK_INVALID_INPUT, place, cause, remedy)
}

/// Keys of other key sources.
fn foreign_keys(name: &str, env: &EnvVolume) -> Vec<Finding> {
    [
        ("kms", env.kms),
        ("kmsTimeout", env.kms_timeout.and(env.kms)),
        ("grep11", env.grep11),
        ("uv-secret-id", env.uv_secret_id),
        ("uv-previous-secret-id", env.uv_previous_secret_id),
    ]
    .into_iter()
    .filter(|(_, present)| present.is_some())
    .map(|(key, _)| {
        let cause = format!(
            "`{key}` is not supported: the volume would be under a weaker key than is asked for"
        );
        refuse(
            "env",
            name,
            key,
            &cause,
            "write `seed` and leave the other key source out",
        )
    })
    .collect()
}

fn mount(name: &str, workload: &WorkloadVolume) -> Result<String, Finding> {
    let tell = |cause: &str| {
        refuse(
            "workload",
            name,
            "mount",
            cause,
            "choose a folder of its own, such as /mnt/data",
        )
    };
    let mount =
        paths::absolute(workload.mount.as_deref().unwrap_or(DEFAULT_MOUNT)).map_err(tell)?;
    if RESERVED
        .iter()
        .any(|reserved| paths::is_within(&mount, reserved) || paths::is_within(reserved, &mount))
    {
        return Err(tell("this path belongs to the appliance"));
    }
    Ok(mount)
}

/// Two volumes at one path, or one within another, would hide each other's data.
fn beside(volume: &Volume, others: &[Volume]) -> Option<Finding> {
    let clash = others.iter().find(|other| {
        paths::is_within(&volume.mount, &other.mount)
            || paths::is_within(&other.mount, &volume.mount)
    })?;
    let cause = format!(
        "the mount path and that of the volume {} overlap",
        clash.name
    );
    Some(refuse(
        "workload",
        &volume.name,
        "mount",
        &cause,
        "give every volume a path of its own",
    ))
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
