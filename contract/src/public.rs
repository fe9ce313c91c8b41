//! Which values of a contract are known to be no secret, by the end of their key path.
//!
//! A value is a secret until it is listed here: tools hide all others when they show a line, a tree or a difference. The
//! values of environment variables, commands, labels and files are never listed.

use std::borrow::Cow;

/// What tools write in the place of a value that may be secret.
pub const HIDDEN: &str = "<hidden>";

/// A key as it may be shown. Who writes `NAME=VALUE` or `USER:PASSWORD@HOST` where a key belongs writes a value into it:
/// what stands behind the first of these marks is hidden. A registry with its port is a key as it should be.
pub fn shown_key(key: &str) -> Cow<'_, str> {
    match key.find(['=', ':', '@']) {
        Some(mark) if !is_registry(key) => format!("{}{HIDDEN}", &key[..=mark]).into(),
        _ => key.into(),
    }
}

/// A JSON pointer (RFC 6901) as a path of keys that may be shown.
pub(crate) fn shown_path(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1);
    let keys: Vec<_> = steps
        .map(|step| shown_key(&step.replace("~1", "/").replace("~0", "~")).into_owned())
        .collect();
    keys.join(".")
}

/// `registry.example:5000/team`, `https://index.docker.io/v1/`: a host, a port and a folder, without credentials.
fn is_registry(key: &str) -> bool {
    let bare = key.strip_prefix("https://").unwrap_or(key);
    let (authority, folder) = bare.split_once('/').unwrap_or((bare, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let is_host = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (host.contains('.') || host == "localhost")
        && host
            .bytes()
            .all(|letter| is_host(letter) || b"-.".contains(&letter))
        && port.parse::<u16>().is_ok()
        && folder
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || b"-._/".contains(&letter))
}

/// Whether the name of an image holds no credentials: nothing but its digest stands behind an `@`.
fn is_bare_image(name: &str) -> bool {
    name.split_once('@')
        .is_none_or(|(_, digest)| digest.starts_with("sha256:") && !digest.contains('@'))
}

/// Whether a value may be shown. `names` are the keys that lead to it, outermost first, without the indices of lists; the
/// first ones may be missing.
pub fn is_public(names: &[&str], value: &str) -> bool {
    match names {
        [.., "type"] => matches!(value, "env" | "workload"),
        [file, "apiVersion" | "kind"] | [.., file, "apiVersion" | "kind"] => is_yaml(file),
        // A number cannot be a password that stands at the wrong key.
        [.., "logging", _, "port"] => value.bytes().all(|byte| byte.is_ascii_digit()),
        [.., "services", _, "image"] | [.., "containers" | "initContainers", "image"] => {
            is_bare_image(value)
        }
        ["apiVersion" | "kind"]
        | ["network", _, ..]
        | [.., "logging", _, "hostname"]
        | [
            ..,
            "volumes",
            _,
            "mount" | "filesystem" | "create" | "headerRecord",
        ]
        | [.., "services", _, "ports" | "volumes", _]
        | [
            ..,
            "containers" | "initContainers",
            "name" | "imagePullPolicy" | "workingDir",
        ]
        | [.., "ports", "containerPort" | "hostPort" | "protocol"]
        | [
            ..,
            "volumeMounts",
            "mountPath" | "subPath" | "name" | "readOnly",
        ]
        | [.., "spec", "restartPolicy" | "hostNetwork" | "hostPID"] => true,
        [.., "services", _, key] => SERVICE.contains(key),
        _ => false,
    }
}

fn is_yaml(file: &str) -> bool {
    [".yaml", ".yml"].iter().any(|end| file.ends_with(end))
}

/// Keys of a compose service whose values are no secret.
const SERVICE: &[&str] = &[
    "cap_add",
    "cap_drop",
    "container_name",
    "cpus",
    "depends_on",
    "expose",
    "group_add",
    "hostname",
    "init",
    "ipc",
    "mem_limit",
    "network_mode",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "privileged",
    "pull_policy",
    "read_only",
    "restart",
    "security_opt",
    "stop_grace_period",
    "stop_signal",
    "tmpfs",
    "ulimits",
    "user",
    "volumes",
    "working_dir",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_into_a_key_is_hidden_and_a_registry_is_not() {
        for (key, shown) in [
            ("DB_PASSWORD", "DB_PASSWORD"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
            ("DB_PASSWORD=hunter2", "DB_PASSWORD=<hidden>"),
            ("DB_PASSWORD:1234", "DB_PASSWORD:<hidden>"),
            ("https://bob:hunter2@reg", "https:<hidden>"),
            ("https://reg.example/?t=hunter2", "https:<hidden>"),
            ("bob@reg.example", "bob@<hidden>"),
            ("password:hunter2", "password:<hidden>"),
            ("=hunter2", "=<hidden>"),
            ("\u{e9}=hunter2", "\u{e9}=<hidden>"),
            ("registry.example:5000", "registry.example:5000"),
            ("localhost:5000/team", "localhost:5000/team"),
            ("https://index.docker.io/v1/", "https://index.docker.io/v1/"),
        ] {
            assert_eq!(shown_key(key), shown);
        }
        assert_eq!(
            shown_path("/environment/DB=a~1b/registry.example:5000"),
            "environment.DB=<hidden>.registry.example:5000"
        );
    }

    #[test]
    fn an_image_is_shown_unless_it_holds_credentials() {
        for (value, expected) in [
            ("nginx:latest", true),
            ("reg.example:5000/x@sha256:ab", true),
            ("bob:hunter2@reg.example/x", false),
            ("bob:hunter2@reg.example/x@sha256:ab", false),
        ] {
            assert_eq!(is_public(&["services", "a", "image"], value), expected);
            assert_eq!(is_public(&["containers", "image"], value), expected);
        }
    }
}
