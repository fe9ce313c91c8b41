//! The small values of a service: capabilities, signals, durations, restart policies, users and names.
//!
//! Each function turns text into the one form that the plan knows, or says what is wrong without quoting it.

use crate::plan::Restart;

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

/// The longest time that a service may take to stop, in seconds.
const LONGEST_GRACE: u64 = 600;

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

/// A duration such as `1m30s` or `500ms`, in seconds, rounded up.
pub(super) fn seconds(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "this is no duration";
    let mut milliseconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(WRONG)?;
        let number: u64 = rest[..digits].parse().map_err(|_| WRONG)?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return Err(WRONG),
        };
        rest = &rest[letters..];
        milliseconds = number
            .checked_mul(unit)
            .and_then(|part| part.checked_add(milliseconds))
            .ok_or(WRONG)?;
    }
    match milliseconds.div_ceil(1_000) {
        _ if text.is_empty() => Err(WRONG),
        seconds if seconds > LONGEST_GRACE => Err("this is longer than ten minutes"),
        seconds => Ok(seconds),
    }
}

/// `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:TRIES`.
pub(super) fn restart(text: &str) -> Result<Restart, &'static str> {
    match text.split_once(':') {
        None if text == "no" => Ok(Restart::No),
        None if matches!(text, "always" | "unless-stopped") => Ok(Restart::Always),
        None if text == "on-failure" => Ok(Restart::OnFailure(None)),
        Some(("on-failure", tries)) if tries.bytes().all(|byte| byte.is_ascii_digit()) => tries
            .parse()
            .map(|tries| Restart::OnFailure(Some(tries)))
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
    fn durations_are_rounded_up_to_seconds() {
        for (text, expected) in [
            ("10s", Some(10)),
            ("1m30s", Some(90)),
            ("500ms", Some(1)),
            ("0s", Some(0)),
            ("10m", Some(600)),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
        for text in [
            "",
            "10",
            "s",
            "1h",
            "-1s",
            "1d",
            "99999999999999999999s",
            "18446744073709551615h",
            "1s ",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn restart_policies_are_those_of_compose() {
        for (text, expected) in [
            ("no", Some(Restart::No)),
            ("always", Some(Restart::Always)),
            ("unless-stopped", Some(Restart::Always)),
            ("on-failure", Some(Restart::OnFailure(None))),
            ("on-failure:3", Some(Restart::OnFailure(Some(3)))),
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
}
