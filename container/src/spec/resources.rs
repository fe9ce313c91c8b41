//! What a container may use of the machine, and the kernel parameters of its own namespaces. Pure.

use std::collections::HashMap;

use hpcr_contract::plan::{Limits, Service};
use oci_spec::OciSpecError;
use oci_spec::runtime::{
    LinuxCpuBuilder, LinuxDeviceCgroupBuilder, LinuxMemoryBuilder, LinuxPidsBuilder,
    LinuxResources, LinuxResourcesBuilder, PosixRlimit, PosixRlimitBuilder, PosixRlimitType,
};

/// Processes and threads of one service where it names no limit: enough for any, and an end to a fork bomb.
const PROCESSES: u32 = 16_384;
/// Open files of a process: soft and hard.
const FILES: (u64, u64) = (16_384, 524_288);
/// Microseconds that processor time is counted over: the kernel's usual, and the longest that it takes, for shares so
/// small that the usual would make them less than its least quota of 1 ms.
const PERIODS: (u64, u64) = (100_000, 1_000_000);
/// Below this many thousandths of a processor the longer period counts.
const SMALL_SHARE: u32 = 10;

/// The kernel parameters that belong to a container's namespaces and to nobody else.
const OWN_PARAMETERS: &[&str] = &[
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shm_rmid_forced",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
];
/// The trees of such parameters.
const OWN_TREES: &[&str] = &["net.", "fs.mqueue."];

/// The settings of the container's own control group; its weight stands on the service's ([`crate::cgroup`]).
pub(super) fn cgroup(limits: &Limits, privileged: bool) -> Result<LinuxResources, OciSpecError> {
    // The runtime adds its own few (null, zero, full, random, urandom, tty) to a denied set.
    let devices = LinuxDeviceCgroupBuilder::default()
        .allow(privileged)
        .access("rwm")
        .build()?;
    let processes = limits.pids.unwrap_or(PROCESSES);
    let mut resources = LinuxResourcesBuilder::default().devices([devices]).pids(
        LinuxPidsBuilder::default()
            .limit(i64::from(processes))
            .build()?,
    );
    if let Some(bytes) = limits.memory {
        let memory = LinuxMemoryBuilder::default().limit(i64::try_from(bytes).unwrap_or(i64::MAX));
        resources = resources.memory(memory.build()?);
    }
    if let Some(share) = limits.milli_cpus {
        let period = if share < SMALL_SHARE {
            PERIODS.1
        } else {
            PERIODS.0
        };
        let quota = i64::from(share) * (period / 1_000).cast_signed();
        let cpu = LinuxCpuBuilder::default().quota(quota).period(period);
        resources = resources.cpu(cpu.build()?);
    }
    resources.build()
}

/// The limits of each process, the service's own in place of the usual.
pub(super) fn of_a_process(limits: &Limits) -> Result<Vec<PosixRlimit>, String> {
    // A core dump would put memory on a disk.
    let usual = [("NOFILE", FILES), ("CORE", (0, 0))];
    let usual = usual
        .into_iter()
        .filter(|(name, _)| !limits.ulimits.contains_key(*name));
    let own = limits.ulimits.iter();
    let own = own.map(|(name, limit)| (name.as_str(), (limit.soft, limit.hard)));
    usual
        .chain(own)
        .map(|(name, (soft, hard))| {
            let kind: PosixRlimitType = serde_json::from_value(format!("RLIMIT_{name}").into())
                .map_err(|_| format!("{name:?} is no limit of a process; see getrlimit(2)"))?;
            let limit = PosixRlimitBuilder::default()
                .typ(kind)
                .soft(soft)
                .hard(hard);
            limit.build().map_err(|error| error.to_string())
        })
        .collect()
}

/// The kernel parameters of its namespaces: none that another container or the guest would notice.
pub(super) fn parameters(service: &Service) -> Result<HashMap<String, String>, String> {
    // The network is the container's own, so its low ports need no privilege, as in Docker.
    let low_ports = (
        "net.ipv4.ip_unprivileged_port_start".to_owned(),
        "0".to_owned(),
    );
    let mut parameters = HashMap::from([low_ports]);
    for (name, value) in &service.sysctls {
        let is_path = name.contains("..") || name.contains('/');
        let is_own = OWN_PARAMETERS.contains(&name.as_str())
            || OWN_TREES.iter().any(|tree| name.starts_with(tree));
        if is_path || !is_own {
            return Err(format!(
                "the kernel parameter {name:?} is the guest's and not a container's own; leave it out"
            ));
        }
        parameters.insert(name.clone(), value.clone());
    }
    Ok(parameters)
}
