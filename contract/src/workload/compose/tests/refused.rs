#![allow(clippy::unwrap_used)]

use super::*;

/// Lines of a service, the place of what is wrong with them, and the cause.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "build: .",
        ":4:5 at services.web.build",
        "`build` is not supported",
    ),
    ("pid: host", ":4:5 at services.web.pid", "not supported"),
    (
        "devices: [/dev/vda]",
        ":4:5 at services.web.devices",
        "not supported",
    ),
    ("init: true", ":4:5 at services.web.init", "not supported"),
    (
        "comand:",
        ":4:5 at services.web.comand",
        "`comand` is not known",
    ),
    (
        "comand: hunter2",
        ":4:5 at services.web.comand",
        "`comand` is not known",
    ),
    (
        "privileged: hunter2",
        ":4:17 at services.web.privileged",
        "true or false",
    ),
    (
        "command: \"open 'hunter2\"",
        ":4:14 at services.web.command",
        "quote",
    ),
    (
        "ports: [\"80\"]",
        ":4:13 at services.web.ports[0]",
        "no port of the guest",
    ),
    (
        "ports: [8080]",
        ":4:13 at services.web.ports[0]",
        "no port of the guest",
    ),
    (
        "ports: [{target: 80}]",
        ":4:13 at services.web.ports[0]",
        "missing",
    ),
    (
        "ports: [{target: 80, published: 80, x: 1}]",
        ":4:41 at services.web.ports[0].x",
        "not known",
    ),
    (
        "environment: {A: []}",
        ":4:22 at services.web.environment.A",
        "text is expected, not a list",
    ),
    (
        "environment: {A: \"${A:?please set A, not $GREETING}\"}",
        ":4:22 at services.web.environment.A",
        "variable A is required and has no value: please set A, not $GREETING",
    ),
    (
        "hostname: 1.5",
        ":4:15 at services.web.hostname",
        "text is expected, not a number",
    ),
    (
        "environment: [\"=hunter2\"]",
        ":4:19 at services.web.environment[0]",
        "no name",
    ),
    (
        "environment: {A=x: null}",
        ":4:19 at services.web.environment.A=<hidden>",
        "no name",
    ),
    (
        "environment: {\"A B\": x}",
        ":4:19 at services.web.environment.A B",
        "no name",
    ),
    (
        "environment: [A B]",
        ":4:19 at services.web.environment[0]",
        "no name",
    ),
    ("profiles: [off]", ":1:1 at services", "nothing would run"),
    (
        "healthcheck: {test: x, retries: 3.5}",
        ":4:37 at services.web.healthcheck.retries",
        "a whole number is expected, not a fraction",
    ),
    (
        "read_only: []",
        ":4:16 at services.web.read_only",
        "true or false is expected, not a list",
    ),
    (
        "environment: A=1",
        ":4:18 at services.web.environment",
        "a mapping or a list is expected",
    ),
    (
        "network_mode: service:web",
        ":4:19 at services.web.network_mode",
        "circle",
    ),
    (
        "env_file: none.env",
        ":4:15 at services.web.env_file",
        "no such file",
    ),
    (
        "env_file: ../web.env",
        ":4:15 at services.web.env_file",
        "upwards",
    ),
    (
        "cap_add: [EVERYTHING]",
        ":4:15 at services.web.cap_add[0]",
        "no capability",
    ),
    (
        "restart: hunter2",
        ":4:14 at services.web.restart",
        "no restart policy",
    ),
    (
        "tmpfs: [\"/run:uid=1\"]",
        ":4:13 at services.web.tmpfs[0]",
        "an option",
    ),
    (
        "depends_on: [db]",
        ":4:18 at services.web.depends_on[0]",
        "does not exist",
    ),
    ("depends_on: [web]", ":2:3 at services", "circle: web"),
    (
        "healthcheck: {test: []}",
        ":4:25 at services.web.healthcheck.test",
        "none that Compose knows",
    ),
    (
        "healthcheck: {test: [CMD]}",
        ":4:25 at services.web.healthcheck.test",
        "none that Compose knows",
    ),
    (
        "healthcheck: {test: [curl, x]}",
        ":4:25 at services.web.healthcheck.test",
        "none that Compose knows",
    ),
    (
        "healthcheck: {test: x, every: 1s}",
        ":4:28 at services.web.healthcheck.every",
        "`every` is not known",
    ),
    (
        "mem_limit: 512x",
        ":4:16 at services.web.mem_limit",
        "no number of bytes",
    ),
    (
        "cpus: many",
        ":4:11 at services.web.cpus",
        "no number of processors",
    ),
    (
        "cpu_shares: -1",
        ":4:17 at services.web.cpu_shares",
        "within bounds",
    ),
    (
        "oom_score_adj: 1001",
        ":4:20 at services.web.oom_score_adj",
        "within bounds",
    ),
    (
        "ulimits: {files: 1}",
        ":4:22 at services.web.ulimits.files",
        "getrlimit",
    ),
    (
        "ulimits: {nofile: {soft: 2, hard: 1}}",
        ":4:23 at services.web.ulimits.nofile",
        "above the hard one",
    ),
    (
        "ulimits: {nofile: {soft: 2}}",
        ":4:23 at services.web.ulimits.nofile",
        "not whole",
    ),
    (
        "deploy: {replicas: 2}",
        ":4:24 at services.web.deploy.replicas",
        "one container",
    ),
    ("scale: 3", ":4:12 at services.web.scale", "one container"),
    (
        "deploy: {placement: {constraints: [a]}}",
        ":4:14 at services.web.deploy.placement",
        "not supported",
    ),
    (
        "deploy: {mode: replicated-job}",
        ":4:14 at services.web.deploy.mode",
        "not supported",
    ),
    (
        "deploy: {restart_policy: {delay: 5s}}",
        ":4:31 at services.web.deploy.restart_policy.delay",
        "not supported",
    ),
    (
        "deploy: {restart_policy: {condition: x}}",
        ":4:42 at services.web.deploy.restart_policy.condition",
        "no restart policy",
    ),
    (
        "deploy: {resources: {reservations: {devices: [{}]}}}",
        ":4:41 at services.web.deploy.resources.reservations.devices",
        "not supported",
    ),
    (
        "mem_limit: 1g\ndeploy: {resources: {limits: {memory: 1g}}}",
        ":5:35 at services.web.deploy.resources.limits.memory",
        "said twice",
    ),
    (
        "security_opt: [\"seccomp:unconfined\"]",
        ":4:20 at services.web.security_opt[0]",
        "own protection",
    ),
    (
        "security_opt: [\"apparmor=unconfined\"]",
        ":4:20 at services.web.security_opt[0]",
        "own protection",
    ),
    (
        "security_opt: [hunter2]",
        ":4:20 at services.web.security_opt[0]",
        "not known",
    ),
    (
        "sysctls: {vm.swappiness: 1}",
        ":4:30 at services.web.sysctls.vm.swappiness",
        "whole guest",
    ),
    (
        "sysctls: [net.core.somaxconn]",
        ":4:15 at services.web.sysctls[0]",
        "value is missing",
    ),
    (
        "group_add: [\"a:b\"]",
        ":4:17 at services.web.group_add[0]",
        "no group",
    ),
    (
        "platform: windows/amd64",
        ":4:15 at services.web.platform",
        "platform",
    ),
    (
        "pull_policy: never",
        ":4:18 at services.web.pull_policy",
        "pull policy",
    ),
    ("tty: true", ":4:5 at services.web.tty", "not supported"),
    (
        "logging: {driver: none}",
        ":4:5 at services.web.logging",
        "not supported",
    ),
    (
        "extends: {service: x}",
        ":4:5 at services.web.extends",
        "not supported",
    ),
    ("links: [db]", ":4:5 at services.web.links", "not supported"),
    (
        "expose: [x]",
        ":4:14 at services.web.expose[0]",
        "a port is not a number",
    ),
    (
        "post_start: [{command: a}]",
        ":4:5 at services.web.post_start",
        "not supported",
    ),
    (
        "userns_mode: host",
        ":4:5 at services.web.userns_mode",
        "not supported",
    ),
    (
        "working_dir: srv",
        ":4:18 at services.web.working_dir",
        "not absolute",
    ),
    (
        "stop_grace_period: 11m",
        ":4:24 at services.web.stop_grace_period",
        "longer than ten minutes",
    ),
];

#[test]
fn what_is_not_understood_is_refused_with_key_line_and_column() {
    for (lines, place, cause) in REFUSED {
        let findings = service(lines).unwrap_err();
        let finding = &findings[0];
        assert_eq!(
            finding.place.to_string(),
            format!("docker-compose.yaml{place}"),
            "{lines}"
        );
        assert!(finding.cause.contains(cause), "{lines}: {finding}");
        assert_eq!(finding.code, messages::IMAGE_PARSE_COMPOSE);
        assert!(!finding.to_string().contains("hunter2"), "{finding}");
    }
}
