//! The words of a service: capabilities, signals, restart policies, kernel parameters, users and names.
//!
//! Each function turns text into the one form that the plan knows, or says what is wrong without quoting it.

use std::net::IpAddr;

use crate::plan::{Protocol, Restart};

/// Linux capabilities without their `CAP_` (capabilities(7), Linux 6.12).
const CAPABILITIES: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Limits of getrlimit(2) without their `RLIMIT_`.
const ULIMITS: [&str; 16] = [
    "AS",
    "CORE",
    "CPU",
    "DATA",
    "FSIZE",
    "LOCKS",
    "MEMLOCK",
    "MSGQUEUE",
    "NICE",
    "NOFILE",
    "NPROC",
    "RSS",
    "RTPRIO",
    "RTTIME",
    "SIGPENDING",
    "STACK",
];

/// Signals with their numbers (signal(7); the same on x86-64, s390x and ppc64le).
const SIGNALS: [(&str, u8); 21] = [
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGABRT", 6),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGCHLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGWINCH", 28),
    ("SIGIO", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
];

/// A capability without its `CAP_`, or `ALL`.
pub(super) fn capability(text: &str) -> Result<String, &'static str> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if name == "ALL" || CAPABILITIES.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err("this is no capability of Linux")
    }
}

/// A signal by name or number, as `SIGTERM`.
pub(super) fn signal(text: &str) -> Result<String, &'static str> {
    let upper = text.to_ascii_uppercase();
    SIGNALS
        .iter()
        .find(|(name, number)| {
            *name == upper
                || name.strip_prefix("SIG") == Some(&upper)
                || number.to_string() == upper
        })
        .map(|(name, _)| (*name).to_owned())
        .ok_or("this is no signal that stops a process")
}

/// `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:TRIES`, of which 0 are without end, as in Docker.
pub(super) fn restart(text: &str) -> Result<Restart, &'static str> {
    match text.split_once(':') {
        None if text == "no" => Ok(Restart::No),
        None if matches!(text, "always" | "unless-stopped") => Ok(Restart::Always),
        None if text == "on-failure" => Ok(Restart::OnFailure(None)),
        Some(("on-failure", tries)) if tries.bytes().all(|byte| byte.is_ascii_digit()) => tries
            .parse()
            .map(|tries| Restart::OnFailure(Some(tries).filter(|tries| *tries > 0)))
            .map_err(|_| "the number of tries is none"),
        _ => Err("this is no restart policy"),
    }
}

/// `user` or `user:group`, by name or number.
pub(super) fn user(text: &str) -> Result<String, &'static str> {
    let name = |name: &str| {
        (1..=64).contains(&name.len())
            && !name.starts_with('-')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
    };
    let (user, group) = text
        .split_once(':')
        .map_or((text, None), |(user, group)| (user, Some(group)));
    if name(user) && group.is_none_or(name) {
        Ok(text.to_owned())
    } else {
        Err("this is no user, nor a user and a group")
    }
}

/// A group by name or number.
pub(super) fn group(text: &str) -> Result<String, &'static str> {
    if text.contains(':') {
        return Err("this is no group");
    }
    user(text).map_err(|_| "this is no group")
}

/// A limit of getrlimit(2), as `NOFILE`.
pub(super) fn ulimit(text: &str) -> Result<String, &'static str> {
    let upper = text.to_ascii_uppercase();
    if ULIMITS.contains(&upper.as_str()) {
        Ok(upper)
    } else {
        Err("this is no limit of getrlimit(2)")
    }
}

/// The name of a kernel parameter that belongs to the container's own namespaces.
pub(super) fn sysctl(text: &str) -> Result<String, &'static str> {
    let is_name = text.split('.').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    });
    let is_own = ["net.", "kernel.shm", "kernel.msg", "fs.mqueue."]
        .iter()
        .any(|prefix| text.starts_with(prefix))
        || text == "kernel.sem";
    match (is_name && text.len() <= 128, is_own) {
        (false, _) => Err("this is no kernel parameter"),
        (true, false) => Err("this kernel parameter belongs to the whole guest"),
        (true, true) => Ok(text.to_owned()),
    }
}

/// Permissions in octal digits, as `0640` or `0o640`.
pub(super) fn mode(text: &str) -> Result<u32, &'static str> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        Ok(mode) if mode <= 0o7777 && !digits.starts_with('+') => Ok(mode),
        _ => Err("these are no permissions"),
    }
}

/// A name for `/etc/hosts` and its address: `name=address` or `name:address`.
pub(super) fn host_address(text: &str) -> Result<(String, IpAddr), &'static str> {
    let (name, address) = text
        .split_once('=')
        .or_else(|| text.split_once(':'))
        .ok_or("the address is missing")?;
    Ok((hostname(name)?, ip(address)?))
}

/// An IP address, with or without brackets.
pub(super) fn ip(text: &str) -> Result<IpAddr, &'static str> {
    if text == "host-gateway" {
        return Err("there is no host behind the guest that could be named");
    }
    text.strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text)
        .parse()
        .map_err(|_| "this is no IP address")
}

/// The protocol of a port, in small letters or large.
pub(super) fn protocol(text: &str) -> Result<Protocol, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => Err("the protocol is neither tcp nor udp"),
    }
}

/// The architecture of a platform such as `linux/s390x`.
pub(super) fn architecture(text: &str) -> Result<String, &'static str> {
    match text.strip_prefix("linux/") {
        Some(name @ ("amd64" | "s390x" | "ppc64le" | "arm64")) => Ok(name.to_owned()),
        _ => Err("this platform is none that a guest could have"),
    }
}

/// A host name (RFC 1123).
pub(super) fn hostname(text: &str) -> Result<String, &'static str> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if text.len() <= 64 && text.split('.').all(label) {
        Ok(text.to_owned())
    } else {
        Err("this is no host name")
    }
}

/// What to do about a name that [`is_variable_name`] refuses.
pub(super) const VARIABLE_NAME: &str =
    "write a name without `=`, white space and control characters";

/// Whether a variable of a container may be called so.
pub(super) fn is_variable_name(name: &str) -> Result<(), &'static str> {
    let is_part = |c: char| c != '=' && !c.is_whitespace() && !c.is_control();
    if !name.is_empty() && name.chars().all(is_part) {
        Ok(())
    } else {
        Err("this is no name of an environment variable")
    }
}

/// Whether a service may be called so: it becomes a folder, a host name and an app-name in the log.
pub(super) fn is_service_name(name: &str) -> bool {
    (1..=48).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_and_signals_get_one_spelling() {
        assert_eq!(capability("CAP_NET_ADMIN"), Ok("NET_ADMIN".into()));
        assert_eq!(capability("all"), Ok("ALL".into()));
        assert!(capability("NET_EVERYTHING").is_err() && capability("CAP_CAP_KILL").is_err());
        for text in ["SIGTERM", "term", "15"] {
            assert_eq!(signal(text), Ok("SIGTERM".into()));
        }
        assert!(signal("SIGNOT").is_err() && signal("0").is_err() && signal("").is_err());
    }

    #[test]
    fn restart_policies_are_those_of_compose() {
        for (text, expected) in [
            ("no", Some(Restart::No)),
            ("always", Some(Restart::Always)),
            ("unless-stopped", Some(Restart::Always)),
            ("on-failure", Some(Restart::OnFailure(None))),
            ("on-failure:3", Some(Restart::OnFailure(Some(3)))),
            ("on-failure:0", Some(Restart::OnFailure(None))),
            ("on-failure:", None),
            ("on-failure:+3", None),
            ("sometimes", None),
        ] {
            assert_eq!(restart(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn users_hosts_and_services_are_names() {
        assert!(user("www-data").is_ok() && user("1000:1000").is_ok());
        assert!(
            user("").is_err()
                && user("a:").is_err()
                && user("a:b:c").is_err()
                && user("../x").is_err()
        );
        assert!(group("docker").is_ok() && group("a:b").is_err());
        assert!(
            hostname("web-1.example").is_ok()
                && hostname("-web").is_err()
                && hostname("a_b").is_err()
        );
        assert!(
            is_service_name("web_1")
                && !is_service_name("..")
                && !is_service_name("a/b")
                && !is_service_name("")
        );
    }

    #[test]
    fn kernel_parameters_limits_and_permissions_are_those_of_the_container() {
        assert_eq!(ulimit("nofile"), Ok("NOFILE".into()));
        assert!(ulimit("files").is_err());
        for name in ["net.core.somaxconn", "kernel.shm_rmid_forced", "kernel.sem"] {
            assert!(sysctl(name).is_ok(), "{name}");
        }
        for name in [
            "kernel.hostname",
            "vm.swappiness",
            "net..x",
            "net.a/../b",
            "kernel.semx",
        ] {
            assert!(sysctl(name).is_err(), "{name}");
        }
        for (text, expected) in [
            ("0440", Some(0o440)),
            ("755", Some(0o755)),
            ("0o600", Some(0o600)),
            ("10000", None),
            ("8", None),
            ("+7", None),
            ("", None),
        ] {
            assert_eq!(mode(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn hosts_have_an_address_and_platforms_an_architecture() {
        for text in ["db:10.0.0.1", "db=10.0.0.1", "db=[::1]", "db:::1"] {
            assert!(host_address(text).is_ok(), "{text}");
        }
        for text in ["db", "db:", ":10.0.0.1", "db=host-gateway", "d_b:10.0.0.1"] {
            assert!(host_address(text).is_err(), "{text}");
        }
        assert_eq!(architecture("linux/s390x"), Ok("s390x".into()));
        assert!(architecture("windows/amd64").is_err() && architecture("linux").is_err());
    }
}
