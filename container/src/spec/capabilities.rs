//! What a container's root may do. Pure.

use hpcr_contract::plan::Service;
use oci_spec::runtime::{Capabilities, Capability};

/// Docker's default set, what is added and what is dropped.
pub(super) fn of(service: &Service) -> Result<Capabilities, String> {
    use Capability::{
        AuditWrite, Chown, DacOverride, Fowner, Fsetid, Kill, Mknod, NetBindService, NetRaw,
        Setfcap, Setgid, Setpcap, Setuid, SysChroot,
    };
    if service.privileged {
        return Ok(all_capabilities());
    }
    let mut set = Capabilities::from([
        AuditWrite,
        Chown,
        DacOverride,
        Fowner,
        Fsetid,
        Kill,
        Mknod,
        NetBindService,
        NetRaw,
        Setfcap,
        Setgid,
        Setpcap,
        Setuid,
        SysChroot,
    ]);
    if service.cap_add.iter().any(|name| name == "ALL") {
        set = all_capabilities();
    }
    if service.cap_drop.iter().any(|name| name == "ALL") {
        set.clear();
    }
    let named = |names: &[String]| {
        let names = names.iter().filter(|name| *name != "ALL");
        names
            .map(|name| capability(name))
            .collect::<Result<Capabilities, _>>()
    };
    set.extend(named(&service.cap_add)?);
    for dropped in named(&service.cap_drop)? {
        set.remove(&dropped);
    }
    Ok(set)
}

fn capability(name: &str) -> Result<Capability, String> {
    let full = if name.starts_with("CAP_") {
        name.to_owned()
    } else {
        format!("CAP_{name}")
    };
    serde_json::from_value(full.into())
        .map_err(|_| format!("{name:?} is no capability; see capabilities(7)"))
}

fn all_capabilities() -> Capabilities {
    use Capability as C;
    Capabilities::from([
        C::AuditControl,
        C::AuditRead,
        C::AuditWrite,
        C::BlockSuspend,
        C::Bpf,
        C::CheckpointRestore,
        C::Chown,
        C::DacOverride,
        C::DacReadSearch,
        C::Fowner,
        C::Fsetid,
        C::IpcLock,
        C::IpcOwner,
        C::Kill,
        C::Lease,
        C::LinuxImmutable,
        C::MacAdmin,
        C::MacOverride,
        C::Mknod,
        C::NetAdmin,
        C::NetBindService,
        C::NetBroadcast,
        C::NetRaw,
        C::Perfmon,
        C::Setfcap,
        C::Setgid,
        C::Setpcap,
        C::Setuid,
        C::SysAdmin,
        C::SysBoot,
        C::SysChroot,
        C::SysModule,
        C::SysNice,
        C::SysPacct,
        C::SysPtrace,
        C::SysRawio,
        C::SysResource,
        C::SysTime,
        C::SysTtyConfig,
        C::Syslog,
        C::WakeAlarm,
    ])
}
