//! A service and its image as an OCI runtime configuration (runtime specification 1.2). Pure: plain data in, plain data
//! out. Defaults are Docker's, where existing contracts rely on them, and stricter where they cannot notice.

mod capabilities;
mod mounts;
mod resources;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use hpcr_contract::plan::Service;
use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Capabilities, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxNamespaceBuilder,
    LinuxNamespaceType, Process, ProcessBuilder, RootBuilder, Spec, SpecBuilder, UserBuilder,
    get_default_maskedpaths, get_default_readonly_paths,
};
use secrecy::ExposeSecret as _;

use crate::cgroup;
use crate::image::Settings;
use crate::seccomp;
use crate::user::Identity;

/// Everything a configuration is made of.
pub(crate) struct Input<'a> {
    pub service: &'a Service,
    pub settings: &'a Settings,
    pub identity: &'a Identity,
    /// The merged root file system.
    pub rootfs: &'a Path,
    /// The bound network namespace.
    pub network: &'a Path,
    pub hostname: &'a str,
    /// Guest path, container path and access of each mount.
    pub binds: &'a [Bind],
}

/// A path of the guest in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bind {
    pub source: PathBuf,
    pub target: PathBuf,
    pub read_only: bool,
}

/// The search path of a container whose image names none, as in Docker.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Makes the configuration.
pub(crate) fn runtime(input: &Input<'_>) -> Result<Spec, String> {
    let arguments = arguments(input.service, input.settings)?;
    let capabilities = capabilities::of(input.service)?;
    let process = process(input, arguments, &capabilities)?;
    let parameters = resources::parameters(input.service)?;
    build(input, process, &capabilities, parameters).map_err(|error| unmade(&error))
}

/// A program that is run in the container beside its own, with the same rights: what `crun exec` reads.
pub(crate) fn beside(input: &Input<'_>, arguments: Vec<String>) -> Result<Process, String> {
    process(input, arguments, &capabilities::of(input.service)?)
}

fn unmade(error: &OciSpecError) -> String {
    format!("the runtime configuration cannot be made: {error}")
}

/// The command line: a service's entry point takes the image's command away, as in Docker.
pub(crate) fn arguments(service: &Service, settings: &Settings) -> Result<Vec<String>, String> {
    let entrypoint = service.entrypoint.as_ref().unwrap_or(&settings.entrypoint);
    let command = match (&service.command, &service.entrypoint) {
        (Some(command), _) => command.as_slice(),
        (None, Some(_)) => &[],
        (None, None) => &settings.command,
    };
    let arguments: Vec<_> = entrypoint.iter().chain(command).cloned().collect();
    if arguments.is_empty() {
        return Err("neither the service nor its image says what to run; give a command".into());
    }
    Ok(arguments)
}

/// `NAME=value` lines: the image's, under the service's, with what every program expects.
pub(crate) fn environment(
    service: &Service,
    settings: &Settings,
    identity: &Identity,
    hostname: &str,
) -> Vec<String> {
    let mut merged = BTreeMap::from([
        ("PATH", PATH),
        ("HOME", identity.home.as_str()),
        ("HOSTNAME", hostname),
    ]);
    merged.extend(settings.env.iter().filter_map(|line| line.split_once('=')));
    merged.extend(
        service
            .environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret())),
    );
    merged
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

fn process(
    input: &Input<'_>,
    arguments: Vec<String>,
    capabilities: &Capabilities,
) -> Result<Process, String> {
    let Input {
        service,
        settings,
        identity,
        ..
    } = input;
    let set = capabilities.clone();
    // Nothing is inheritable or ambient (CVE-2022-24769): a program that is not root's gets what its file grants.
    let granted = LinuxCapabilitiesBuilder::default()
        .bounding(set.clone())
        .effective(set.clone())
        .permitted(set)
        .inheritable([])
        .ambient([])
        .build();
    let user = UserBuilder::default()
        .uid(identity.uid)
        .gid(identity.gid)
        .additional_gids(identity.groups.clone())
        .build();
    let cwd = service
        .working_dir
        .as_deref()
        .or(settings.working_dir.as_deref())
        .unwrap_or("/");
    let mut process = ProcessBuilder::default()
        .terminal(false)
        .user(user.map_err(|error| unmade(&error))?)
        .args(arguments)
        .env(environment(service, settings, identity, input.hostname))
        .cwd(cwd)
        .capabilities(granted.map_err(|error| unmade(&error))?)
        .rlimits(resources::of_a_process(&service.limits)?)
        // Stricter than asked for where nobody can notice.
        .no_new_privileges(service.no_new_privileges || !service.privileged);
    if let Some(score) = service.limits.oom_score_adj {
        process = process.oom_score_adj(score);
    }
    process.build().map_err(|error| unmade(&error))
}

fn build(
    input: &Input<'_>,
    process: Process,
    capabilities: &Capabilities,
    parameters: HashMap<String, String>,
) -> Result<Spec, OciSpecError> {
    let root = RootBuilder::default()
        .path(input.rootfs)
        .readonly(input.service.read_only);
    SpecBuilder::default()
        .version("1.0.2")
        .process(process)
        .root(root.build()?)
        .hostname(input.hostname)
        .mounts(mounts::all(input)?)
        .linux(linux(input, capabilities, parameters)?)
        .build()
}

fn linux(
    input: &Input<'_>,
    capabilities: &Capabilities,
    parameters: HashMap<String, String>,
) -> Result<oci_spec::runtime::Linux, OciSpecError> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Network, Pid, Uts};
    let privileged = input.service.privileged;
    let namespace = |kind| LinuxNamespaceBuilder::default().typ(kind);
    let mut namespaces = Vec::new();
    for kind in [Pid, Ipc, Uts, Mount, Cgroup] {
        namespaces.push(namespace(kind).build()?);
    }
    namespaces.push(namespace(Network).path(input.network).build()?);
    let linux = LinuxBuilder::default()
        .namespaces(namespaces)
        .cgroups_path(cgroup::of_container(&input.service.name))
        .resources(resources::cgroup(&input.service.limits, privileged)?)
        .rootfs_propagation("private")
        .sysctl(parameters);
    if privileged {
        return linux.masked_paths([]).readonly_paths([]).build();
    }
    let mut masked = get_default_maskedpaths();
    masked.extend(
        [
            "/proc/interrupts",
            "/sys/devices/virtual/powercap",
            "/sys/kernel/config",
        ]
        .map(str::to_owned),
    );
    masked.sort();
    masked.dedup();
    linux
        .masked_paths(masked)
        .readonly_paths(get_default_readonly_paths())
        .seccomp(seccomp::profile(capabilities)?)
        .build()
}

#[cfg(test)]
pub(crate) mod tests;
