//! The keys of Compose that this appliance does not have, each with what to do instead. `docs/workload.md` says why.

/// What to do instead of a key of a service; none where it is no key of Compose.
pub(super) fn of_service(key: &str) -> Option<&'static str> {
    Some(match key {
        "build" => "build the image beforehand, push it, and name it by its digest under `image`",
        "external_links" | "links" => {
            "remove it: services find each other by name; `depends_on` orders them"
        }
        "devices" | "device_cgroup_rules" | "gpus" => {
            "remove it: containers see no device of the guest"
        }
        "logging" | "attach" => {
            "remove it: every line goes to the collector that the env section names, and only there"
        }
        "init" => "remove it, or bring an init (such as tini) within the image",
        "tty" | "stdin_open" => {
            "remove it: no terminal is attached in a sealed guest; output is read line by line"
        }
        "pid" | "ipc" | "uts" | "userns_mode" | "cgroup" | "cgroup_parent" => {
            "remove it: every container has namespaces of its own"
        }
        "memswap_limit" | "mem_swappiness" => "remove it: the guest has no swap",
        "oom_kill_disable" => "remove it, or give the guest more memory",
        "cpu_count" | "cpu_percent" | "cpu_period" | "cpu_quota" | "cpu_rt_period"
        | "cpu_rt_runtime" | "cpuset" => "write `cpus` or `cpu_shares`",
        "blkio_config" | "storage_opt" => "remove it: disks are not rationed between containers",
        "volumes_from" => "write the mounts of this service out",
        "extends" => "write this service out, or share keys by a YAML anchor",
        "develop" | "provider" | "models" | "use_api_socket" | "credential_spec" | "isolation"
        | "runtime" => "remove it: nothing in a sealed guest could serve it",
        "post_start" | "pre_stop" => "do it in the entry point of the image",
        "dns" | "dns_search" | "dns_opt" | "domainname" => {
            "remove it: names are resolved as the guest's network configuration says; `extra_hosts` adds some"
        }
        "mac_address" => {
            "remove it: containers have a network within the guest, and nobody outside sees such an address"
        }
        _ => return None,
    })
}

/// What to do instead of a key at the top of the file; none where it is no key of Compose.
pub(super) fn of_file(key: &str) -> Option<&'static str> {
    Some(match key {
        "include" => "write the services of the other file into this one",
        "models" => "run the model as a service of its own",
        _ => return None,
    })
}
