#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::{HealthCheck, Limits, Port, Probe, Protocol, Purpose, Restart, Role};

#[test]
fn every_field_of_a_container_reaches_the_plan() {
    let service = container(concat!(
        "command: [/serve, \"--host=$(HOST)\", \"$$(HOST)\", \"$(NONE)\"]\nargs: [\"a b\"]\nworkingDir: /srv\nimagePullPolicy: IfNotPresent\n",
        "env: [{name: HOST, value: example}]\n",
        "ports:\n- {name: http, containerPort: 8080, hostPort: 80, hostIP: 127.0.0.1}\n- {containerPort: 53, hostPort: 53, protocol: UDP}\n- {containerPort: 9090}\n",
        "resources: {limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: \"2\", memory: 32Mi}}\n",
        "securityContext: {runAsUser: 1000, runAsGroup: 100, runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {add: [NET_ADMIN], drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}\n",
        "stdin: false\ntty: false\nterminationMessagePath: /dev/termination-log\nterminationMessagePolicy: File\n",
    ))
    .unwrap();
    let texts = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(
        (service.name.as_str(), service.group.as_str()),
        ("app-web", "app")
    );
    assert_eq!(
        service.entrypoint,
        texts(&["/serve", "--host=example", "$(HOST)", "$(NONE)"])
    );
    assert_eq!(service.command, texts(&["a b"]));
    assert_eq!(service.working_dir.as_deref(), Some("/srv"));
    let port = |host_ip: Option<&str>, host, container, protocol| Port {
        host_ip: host_ip.map(|ip| ip.parse().unwrap()),
        host,
        container,
        protocol,
    };
    assert_eq!(
        service.ports,
        [
            port(Some("127.0.0.1"), 80, 8080, Protocol::Tcp),
            port(None, 53, 53, Protocol::Udp)
        ]
    );
    let limits = Limits {
        memory: Some(64 << 20),
        milli_cpus: Some(500),
        cpu_weight: Some(200),
        ..Limits::default()
    };
    assert_eq!(service.limits, limits);
    assert_eq!(service.user.as_deref(), Some("1000:100"));
    assert!(service.read_only && service.no_new_privileges && !service.privileged);
    assert_eq!(
        (service.cap_add, service.cap_drop),
        (vec!["NET_ADMIN".to_owned()], vec!["ALL".to_owned()])
    );
    assert_eq!(
        (service.restart, service.stop_grace_seconds, service.role),
        (Restart::Always, 30, Role::Main)
    );
    assert_eq!(service.hostname.as_deref(), Some("app"));
}

#[test]
fn every_field_of_a_pod_reaches_its_containers() {
    let services = spec(concat!(
        "restartPolicy: Never\nterminationGracePeriodSeconds: 5\nhostname: box\ndnsPolicy: ClusterFirst\nenableServiceLinks: false\ntolerations: []\n",
        "hostNetwork: false\nserviceAccountName: default\nautomountServiceAccountToken: false\nschedulerName: default-scheduler\nos: {name: linux}\n",
        "hostAliases: [{ip: 10.0.0.1, hostnames: [db, db.example]}]\n",
        "securityContext: {runAsUser: 7, supplementalGroups: [100, 200], sysctls: [{name: net.core.somaxconn, value: \"1024\"}]}\n",
        "containers:\n- {name: a, image: IMAGE}\n- {name: b, image: IMAGE, securityContext: {runAsUser: 8, privileged: true}}\n",
    ))
    .unwrap();
    let users: Vec<_> = services
        .iter()
        .map(|service| service.user.as_deref().unwrap())
        .collect();
    assert_eq!(users, ["7", "8"]);
    for service in &services {
        assert_eq!(
            (service.restart, service.stop_grace_seconds),
            (Restart::No, 5)
        );
        assert_eq!(
            (service.hostname.as_deref(), service.group.as_str()),
            (Some("box"), "app")
        );
        assert_eq!(service.groups, ["100", "200"]);
        assert_eq!(service.sysctls["net.core.somaxconn"], "1024");
        let hosts: Vec<_> = service
            .extra_hosts
            .iter()
            .map(|(name, ip)| format!("{name} {ip}"))
            .collect();
        assert_eq!(hosts, ["db 10.0.0.1", "db.example 10.0.0.1"]);
    }
    assert!(services[1].privileged);
}

#[test]
fn probes_are_those_of_kubernetes() {
    let service = container(concat!(
        "ports: [{name: http, containerPort: 8080}]\n",
        "startupProbe: {tcpSocket: {port: 8080}, failureThreshold: 30, periodSeconds: 5}\n",
        "readinessProbe: {httpGet: {path: /ready?full=1, port: http, scheme: HTTPS, httpHeaders: [{name: Host, value: example}]}, successThreshold: 2}\n",
        "livenessProbe: {exec: {command: [check, -q]}, initialDelaySeconds: 3, timeoutSeconds: 4}\n",
    ))
    .unwrap();
    let check =
        |purpose, probe, interval, timeout, failures, successes, initial_delay| HealthCheck {
            purpose,
            probe,
            interval,
            timeout,
            failures,
            successes,
            start_period: 0,
            start_interval: None,
            initial_delay,
        };
    let http = Probe::Http {
        port: 8080,
        path: "/ready?full=1".into(),
        tls: true,
        headers: vec![("Host".into(), "example".into())],
    };
    let expected = [
        check(
            Purpose::Startup,
            Probe::Tcp { port: 8080 },
            5_000,
            1_000,
            30,
            1,
            0,
        ),
        check(Purpose::Readiness, http, 10_000, 1_000, 3, 2, 0),
        check(
            Purpose::Liveness,
            Probe::Exec(vec!["check".into(), "-q".into()]),
            10_000,
            4_000,
            3,
            1,
            3_000,
        ),
    ];
    let told = |check: &HealthCheck| {
        let probe = match &check.probe {
            Probe::Exec(words) => words.join(" "),
            Probe::Http {
                port,
                path,
                tls,
                headers,
            } => format!("{port} {path} {tls} {headers:?}"),
            Probe::Tcp { port } => port.to_string(),
        };
        let HealthCheck {
            purpose,
            interval,
            timeout,
            failures,
            successes,
            initial_delay,
            ..
        } = check;
        format!("{purpose:?} {probe} {interval} {timeout} {failures} {successes} {initial_delay}")
    };
    assert_eq!(
        service.health.iter().map(told).collect::<Vec<_>>(),
        expected.iter().map(told).collect::<Vec<_>>()
    );
}

#[test]
fn the_environment_is_what_is_named_in_order() {
    let maps = " - {kind: ConfigMap, apiVersion: v1, metadata: {name: web.config}, data: {A: one, B: two, LONG: \"$(A)\"}, binaryData: {C: /wD/}}\n";
    let lines = concat!(
        "containers:\n- name: web\n  image: IMAGE\n",
        "  envFrom: [{configMapRef: {name: web.config}, prefix: P_}, {configMapRef: {name: contract.config.map}}, {configMapRef: {name: none, optional: true}}]\n",
        "  env:\n  - {name: HOST, value: own}\n  - {name: URL, value: \"http://$(HOST):$(PORT)/$(NONE)\"}\n  - {name: BARE}\n",
        "  - {name: ONE, valueFrom: {configMapKeyRef: {name: web.config, key: A}}}\n",
        "  - {name: GONE, valueFrom: {configMapKeyRef: {name: web.config, key: Z, optional: true}}}\n",
        "  - {name: BYTES, valueFrom: {configMapKeyRef: {name: web.config, key: C, optional: true}}}\n",
        "  - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n",
        "  - {name: TIER, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['tier']\"}}}\n",
        "  - {name: NOTE, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['note']\", apiVersion: v1}}}\n",
        "  - {name: NUMBER, value: \"0123\"}\n",
    );
    let workload = play(&format!(" resources:\n{maps}{}", item(&pod(lines)))).unwrap();
    assert_eq!(
        environment(&workload.services[0]),
        [
            ("BARE", ""),
            ("EMPTY", ""),
            ("HOST", "own"),
            ("NOTE", "hi"),
            ("NUMBER", "0123"),
            ("ONE", "one"),
            ("POD", "app"),
            ("PORT", "8080"),
            ("P_A", "one"),
            ("P_B", "two"),
            ("P_LONG", "$(A)"),
            ("SECRET", "hunter2"),
            ("TIER", "front"),
            ("URL", "http://own:8080/$(NONE)"),
        ]
    );
    assert!(!format!("{workload:?}").contains("hunter2"));
}

#[test]
fn what_is_null_or_empty_asks_for_nothing() {
    let plain = format!("{:?}", container("").unwrap());
    for line in [
        "lifecycle: {}",
        "lifecycle:",
        "livenessProbe:",
        "livenessProbe: {}",
        "volumeDevices: []",
        "envFrom:",
        "ports:",
        "resources: {limits: , requests: {}, claims: []}",
        "securityContext: {capabilities: {}, seLinuxOptions: {}, runAsUser: }",
        "command: []\nargs:",
        "stdin:\nterminationMessagePath:\nrestartPolicy:",
    ] {
        assert_eq!(format!("{:?}", container(line).unwrap()), plain, "{line}");
    }
    for line in [
        "nodeSelector: {}",
        "affinity: {}",
        "affinity:",
        "imagePullSecrets: []",
        "ephemeralContainers: []",
        "dnsConfig: {}",
        "hostNetwork:",
        "volumes:\ninitContainers: []",
        "securityContext: {fsGroup: , sysctls: []}",
        "restartPolicy:\nterminationGracePeriodSeconds:",
        "volumes: [{name: v, emptyDir: }]",
    ] {
        let lines = format!("{line}\ncontainers: [{{name: web, image: IMAGE}}]");
        assert_eq!(format!("{:?}", spec(&lines).unwrap()[0]), plain, "{line}");
    }
}

#[test]
fn keys_count_whatever_their_case_and_a_version_may_be_missing() {
    let text = item(&pod("RestartPolicy: Never\nContainers: [{Name: web, iMage: IMAGE, Ports: [{containerport: 80, hostport: 80, protocol: tcp}]}]"))
        .replace("apiVersion: v1", "apiversion:");
    let workload = play(&format!(" resources:\n{text}")).unwrap();
    let service = &workload.services[0];
    assert_eq!(
        (service.restart, service.ports[0].protocol),
        (Restart::No, Protocol::Tcp)
    );
}

#[test]
fn growing_environments_end_where_linux_does() {
    let mut lines = "env:\n- {name: V0, value: xxxxxxxxxxxxxxxx}\n".to_owned();
    for level in 1..10 {
        let refer = format!("$(V{})", level - 1).repeat(8);
        lines.extend([format!("- {{name: V{level}, value: \"{refer}\"}}\n")]);
    }
    assert!(
        container(&lines).unwrap_err()[0]
            .cause
            .contains("larger than Linux takes")
    );
}
