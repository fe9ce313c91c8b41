//! Which values of a contract are known to be no secret, by the end of their key path.
//!
//! A value is a secret until it is listed here: tools hide all others when they show a line, a tree or a difference. The
//! values of environment variables, commands, labels and files are never listed.

/// What tools write in the place of a value that may be secret.
pub const HIDDEN: &str = "<hidden>";

/// Whether a value may be shown. `names` are the keys that lead to it, outermost first, without the indices of lists; the
/// first ones may be missing.
pub fn is_public(names: &[&str], value: &str) -> bool {
    match names {
        [.., "type"] => matches!(value, "env" | "workload"),
        [file, "apiVersion" | "kind"] | [.., file, "apiVersion" | "kind"] => is_yaml(file),
        // A number cannot be a password that stands at the wrong key.
        [.., "logging", _, "port"] => value.bytes().all(|byte| byte.is_ascii_digit()),
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
            "image" | "name" | "imagePullPolicy" | "workingDir",
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
    "image",
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
