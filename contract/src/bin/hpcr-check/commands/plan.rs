//! `hpcr-check plan`: the plan without its secrets.
//!
//! What is printed is listed here, field by field; a field that nobody listed stays out. Values that come out of
//! interpolation (words of commands, environment) are told by number or name only, since they may be secret.

use clap::Args;
use hpcr_contract::plan::{
    Condition, Create, Dependency, HeaderRecord, HealthCheck, Limits, Mount, Plan, Port, Probe,
    Protocol, Purpose, Restart, Role, Service, Syslog, Ulimit, Volume,
};
use hpcr_contract::public::shown_key;
use serde_json::{Value, json};

use crate::arguments::ContractArguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::{Verdict, checked};

/// Show what a guest would do with a contract
///
/// Prints the plan as JSON: sink, volumes, registries, services with image digests, ports, mounts, limits and health checks. Secrets are left
/// out: passphrases, credentials, words of commands and values of environment variables.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    contract: ContractArguments,
}

/// Prints the plan of a contract, or tells what stops it.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let mut checked = checked::check(&arguments.contract)?;
    if !checked.closed.is_empty() {
        return Err(Failure::Usage(
            "the contract is sealed, and a plan needs its content; give the private key with --key",
        ));
    }
    let plan = checked.plan.take();
    checked.report(false).tell();
    match &plan {
        Some(plan) => output.json(&told(plan))?,
        None => return Ok(Verdict::Bad),
    }
    Ok(Verdict::Good)
}

fn told(plan: &Plan) -> Value {
    json!({
        "logging": logging(&plan.logging),
        "volumes": plan.volumes.iter().map(volume).collect::<Vec<_>>(),
        "registries": plan.registries.keys().map(|name| shown_key(name)).collect::<Vec<_>>(),
        "registryAuthorities": plan.registry_authorities.keys().collect::<Vec<_>>(),
        "services": plan.workload.services.iter().map(service).collect::<Vec<_>>(),
        "files": plan.workload.files.iter().map(|(path, content)| json!({"path": path, "bytes": content.bytes.len()})).collect::<Vec<_>>(),
        "expires": plan.expires,
        "evidence": {
            "workload": hex::encode(plan.evidence.workload),
            "env": hex::encode(plan.evidence.env),
            "attestationPublicKey": plan.evidence.auditor.as_ref().map(|auditor| hex::encode(auditor.hash)),
        },
    })
}

fn logging(syslog: &Syslog) -> Value {
    json!({
        "sink": "syslog",
        "host": syslog.host,
        "port": syslog.port,
        "clientCertificate": syslog.client.is_some(),
    })
}

fn volume(volume: &Volume) -> Value {
    json!({
        "name": volume.name,
        "disk": volume.disk,
        "mount": volume.mount,
        "filesystem": format!("{:?}", volume.filesystem).to_lowercase(),
        "previousPassphrases": volume.previous_passphrases.len(),
        "create": match volume.create {
            Create::IfBlank => "ifBlank",
            Create::Never => "never",
        },
        "headerRecord": match volume.header_record {
            HeaderRecord::Adopt => "adopt",
            HeaderRecord::Require => "require",
        },
    })
}

fn service(service: &Service) -> Value {
    json!({
        "name": service.name,
        "role": match service.role {
            Role::Init => "init",
            Role::Main => "main",
        },
        "group": service.group,
        "dependsOn": service.depends_on.iter().map(dependency).collect::<Vec<_>>(),
        "image": service.image.to_string(),
        "entrypointWords": service.entrypoint.as_ref().map(Vec::len),
        "commandWords": service.command.as_ref().map(Vec::len),
        "environment": service.environment.keys().collect::<Vec<_>>(),
        "ports": service.ports.iter().map(port).collect::<Vec<_>>(),
        "mounts": service.mounts.iter().map(mount).collect::<Vec<_>>(),
        "user": service.user,
        "workingDir": service.working_dir,
        "hostname": service.hostname,
        "readOnly": service.read_only,
        "capAdd": service.cap_add,
        "capDrop": service.cap_drop,
        "privileged": service.privileged,
        "noNewPrivileges": service.no_new_privileges,
        "groups": service.groups,
        "sysctls": service.sysctls,
        "extraHosts": service.extra_hosts.iter().map(|(name, address)| format!("{name}:{address}")).collect::<Vec<_>>(),
        "limits": limits(&service.limits),
        "health": service.health.iter().map(health).collect::<Vec<_>>(),
        "restart": restart(service.restart),
        "stopGraceSeconds": service.stop_grace_seconds,
        "stopSignal": service.stop_signal,
    })
}

fn dependency(dependency: &Dependency) -> String {
    let condition = match dependency.condition {
        Condition::Started => "started",
        Condition::Healthy => "healthy",
        Condition::Completed => "completed",
    };
    format!("{} {condition}", dependency.service)
}

fn limits(limits: &Limits) -> Value {
    // As it is written: -1 is no limit.
    let number = |limit: u64| match limit {
        u64::MAX => "-1".to_owned(),
        limit => limit.to_string(),
    };
    let ulimit = |(name, limit): (&String, &Ulimit)| {
        let name = name.to_lowercase();
        format!("{name} {}:{}", number(limit.soft), number(limit.hard))
    };
    json!({
        "memory": limits.memory,
        "milliCpus": limits.milli_cpus,
        "cpuWeight": limits.cpu_weight,
        "pids": limits.pids,
        "shm": limits.shm,
        "ulimits": limits.ulimits.iter().map(ulimit).collect::<Vec<_>>(),
        "oomScoreAdj": limits.oom_score_adj,
    })
}

fn health(check: &HealthCheck) -> Value {
    let probe = match &check.probe {
        Probe::Exec(_) => "program".to_owned(),
        Probe::Http { port, tls, .. } => {
            format!("{} on {port}", if *tls { "https" } else { "http" })
        }
        Probe::Tcp { port } => format!("tcp on {port}"),
    };
    let purpose = match check.purpose {
        Purpose::Startup => "startup",
        Purpose::Readiness => "readiness",
        Purpose::Liveness => "liveness",
    };
    json!({
        "purpose": purpose,
        "probe": probe,
        "intervalMs": check.interval,
        "timeoutMs": check.timeout,
        "failures": check.failures,
        "successes": check.successes,
    })
}

fn port(port: &Port) -> String {
    let address = port.host_ip.map(|ip| format!("{ip} ")).unwrap_or_default();
    let protocol = match port.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    format!("{address}{} -> {}/{protocol}", port.host, port.container)
}

fn mount(mount: &Mount) -> String {
    let access = |read_only: &bool| {
        if *read_only {
            "read-only"
        } else {
            "read-write"
        }
    };
    match mount {
        Mount::Bind {
            source,
            target,
            read_only,
        } => format!("{source} -> {target} ({})", access(read_only)),
        Mount::File { source, target } => format!("{source} -> {target} (read-only)"),
        Mount::Tmpfs { target, .. } => format!("tmpfs -> {target}"),
        Mount::Shared {
            name,
            target,
            read_only,
        } => format!("scratch:{name} -> {target} ({})", access(read_only)),
    }
}

fn restart(restart: Restart) -> String {
    match restart {
        Restart::No => "no".into(),
        Restart::Always => "always".into(),
        Restart::OnFailure(None) => "on-failure".into(),
        Restart::OnFailure(Some(tries)) => format!("on-failure:{tries}"),
    }
}
