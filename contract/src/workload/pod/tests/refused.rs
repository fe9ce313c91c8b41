#![allow(clippy::unwrap_used)]

use super::*;

/// Lines of a container, where they are wrong, and why.
const CONTAINER: &[(&str, &str, &str)] = &[
    (
        "volumeDevices: [{name: a}]",
        ".volumeDevices",
        "not supported",
    ),
    ("lifecycle: {preStop: {}}", ".lifecycle", "not supported"),
    ("tty: true", ".tty", "not supported"),
    ("restartPolicy: Always", ".restartPolicy", "one container"),
    (
        "livenesProbe: {}",
        ".livenesProbe",
        "`livenesProbe` is not known",
    ),
    ("imagePullPolicy: Never", ".imagePullPolicy", "pull policy"),
    (
        "env: [{name: A, value: {}}]",
        ".env[0].value",
        "text is expected",
    ),
    (
        "env: [{name: A, value: 1}]",
        ".env[0].value",
        "text is expected, not a number",
    ),
    (
        "env: [{name: A, value: true}]",
        ".env[0].value",
        "text is expected, not true or false",
    ),
    (
        "args: [a, 0.5]",
        ".args[1]",
        "text is expected, not a number",
    ),
    (
        "ports: [{containerPort: \"80\"}]",
        ".ports[0].containerPort",
        "a whole number is expected, not text",
    ),
    (
        "securityContext: {privileged: \"true\"}",
        ".securityContext.privileged",
        "true or false is expected, not text",
    ),
    (
        "workingDir: /a\nWorkingdir: /b",
        ".Workingdir",
        "the key `workingDir` once more",
    ),
    ("env: [{value: hunter2}]", ".env[0]", "name is missing"),
    ("env: [{name: A=B, value: x}]", ".env[0].name", "no name"),
    (
        "terminationMessagePath: []",
        ".terminationMessagePath",
        "text is expected",
    ),
    (
        "livenessProbe: []",
        ".livenessProbe",
        "a mapping is expected",
    ),
    (
        "livenessProbe: {exec: {command: [a]}, successThreshold: 2}",
        ".livenessProbe.successThreshold",
        "within bounds",
    ),
    ("env: [{name: A B, value: x}]", ".env[0].name", "no name"),
    (
        "env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        ".env[0]",
        "beside each other",
    ),
    (
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {}}}]",
        ".env[0].valueFrom",
        "more than one source",
    ),
    (
        "envFrom: [{prefix: \"A=\", configMapRef: {name: contract.config.map}}]",
        ".envFrom[0]",
        "no name",
    ),
    (
        "env: [{name: A, valueFrom: {}}]",
        ".env[0].valueFrom",
        "no source",
    ),
    (
        "env: [{name: A, valueFrom: {secretKeyRef: {name: x, key: y}}}]",
        ".env[0].valueFrom.secretKeyRef",
        "Secrets are not supported",
    ),
    (
        "env: [{name: A, valueFrom: {resourceFieldRef: {}}}]",
        ".env[0].valueFrom.resourceFieldRef",
        "not supported",
    ),
    (
        "env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]",
        ".env[0].valueFrom.fieldRef.fieldPath",
        "not known",
    ),
    (
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: y}}}]",
        ".env[0].valueFrom.configMapKeyRef",
        "no such ConfigMap",
    ),
    (
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: contract.config.map, key: NONE}}}]",
        ".env[0].valueFrom.configMapKeyRef",
        "no such key",
    ),
    (
        "envFrom: [{secretRef: {name: a}}]",
        ".envFrom[0].secretRef",
        "Secrets",
    ),
    (
        "envFrom: [{configMapRef: {name: none}}]",
        ".envFrom[0].configMapRef",
        "no such ConfigMap",
    ),
    ("ports: [{hostPort: 80}]", ".ports[0]", "port is missing"),
    (
        "ports: [{containerPort: 0}]",
        ".ports[0].containerPort",
        "within bounds",
    ),
    (
        "ports: [{containerPort: 80, protocol: SCTP}]",
        ".ports[0].protocol",
        "protocol",
    ),
    (
        "resources: {limits: {nvidia.com/gpu: 1}}",
        ".resources.limits.nvidia.com/gpu",
        "not rationed",
    ),
    (
        "resources: {limits: {memory: 64m}}",
        ".resources.limits.memory",
        "less than one byte",
    ),
    (
        "resources: {claims: [{name: a}]}",
        ".resources.claims",
        "not supported",
    ),
    ("resources: {claim: []}", ".resources.claim", "not known"),
    (
        "livenessProbe: {grpc: {port: 1}}",
        ".livenessProbe.grpc",
        "not supported",
    ),
    (
        "livenessProbe: {periodSeconds: 5}",
        ".livenessProbe",
        "not said once",
    ),
    (
        "livenessProbe: {exec: {}}",
        ".livenessProbe.exec",
        "no command",
    ),
    (
        "livenessProbe: {exec: {command: [x]}, successThreshold: 2}",
        ".livenessProbe.successThreshold",
        "within bounds",
    ),
    (
        "readinessProbe: {httpGet: {port: web}}",
        ".readinessProbe.httpGet.port",
        "no port of this name",
    ),
    (
        "readinessProbe: {httpGet: {port: 80, host: other}}",
        ".readinessProbe.httpGet.host",
        "its own container",
    ),
    (
        "readinessProbe: {httpGet: {port: 80, path: \"/a b\"}}",
        ".readinessProbe.httpGet.path",
        "no path",
    ),
    (
        "readinessProbe: {httpGet: {port: 80, httpHeaders: [{name: a, value: \"b\\r\\nc\"}]}}",
        ".readinessProbe.httpGet.httpHeaders[0].value",
        "no value",
    ),
    (
        "readinessProbe: {tcpSocket: {}}",
        ".readinessProbe.tcpSocket",
        "port is missing",
    ),
    (
        "securityContext: {runAsNonRoot: true}",
        "",
        "must not run as root",
    ),
    (
        "securityContext: {runAsUser: 0, runAsNonRoot: true}",
        "",
        "must not run as root",
    ),
    ("securityContext: {runAsGroup: 1}", "", "without a user"),
    (
        "securityContext: {seccompProfile: {type: Unconfined}}",
        ".securityContext.seccompProfile.type",
        "own protection",
    ),
    (
        "securityContext: {seLinuxOptions: {level: x}}",
        ".securityContext.seLinuxOptions",
        "not supported",
    ),
    (
        "securityContext: {procMount: Unmasked}",
        ".securityContext.procMount",
        "not known",
    ),
    (
        "securityContext: {capabilities: {add: [EVERYTHING]}}",
        ".securityContext.capabilities.add[0]",
        "no capability",
    ),
    (
        "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
        ".securityContext",
        "privileged, and not",
    ),
];

#[test]
fn what_a_container_cannot_have_is_refused_with_its_place() {
    for (lines, place, cause) in CONTAINER {
        let findings = container(lines).unwrap_err();
        let told = findings[0].to_string();
        let place = format!(" at play.resources[0].spec.containers[0]{place}: ");
        assert!(
            told.contains(&place) && told.contains(cause),
            "{lines}: {told}"
        );
        assert!(!told.contains("hunter2") && findings[0].place.line.is_some());
        assert_eq!(findings[0].code, PODS_FAILED);
    }
}

#[test]
fn what_a_pod_cannot_have_is_refused_with_its_place() {
    for (lines, place, cause) in [
        ("hostNetwork: true", ".hostNetwork", "not supported"),
        ("hostPID: true", ".hostPID", "not supported"),
        (
            "shareProcessNamespace: true",
            ".shareProcessNamespace",
            "not supported",
        ),
        ("nodeSelector: {a: b}", ".nodeSelector", "not supported"),
        ("affinity: {nodeAffinity: {}}", ".affinity", "not supported"),
        (
            "serviceAccountName: admin",
            ".serviceAccountName",
            "not supported",
        ),
        (
            "imagePullSecrets: [{name: a}]",
            ".imagePullSecrets",
            "not supported",
        ),
        ("dnsPolicy: None", ".dnsPolicy", "DNS policy"),
        ("dnsConfig: {options: []}", ".dnsConfig", "not supported"),
        (
            "restartPolicy: Sometimes",
            ".restartPolicy",
            "no restart policy",
        ),
        (
            "terminationGracePeriodSeconds: 601",
            ".terminationGracePeriodSeconds",
            "within bounds",
        ),
        ("hostname: Web", ".hostname", "no name"),
        (
            "hostAliases: [{hostnames: [a]}]",
            ".hostAliases[0]",
            "address is missing",
        ),
        (
            "securityContext: {fsGroup: 1}",
            ".securityContext.fsGroup",
            "not supported",
        ),
        (
            "securityContext: {sysctls: [{name: vm.swappiness, value: \"1\"}]}",
            ".securityContext.sysctls[0].name",
            "whole guest",
        ),
        ("os: {name: windows}", ".os", "not known"),
        ("container: []", ".container", "`container` is not known"),
        (
            "volumes: [{name: a, emptyDir: {}}, {name: a, emptyDir: {}}]",
            ".volumes[1]",
            "same name",
        ),
        ("volumes: [{name: a}]", ".volumes[0]", "not said once"),
    ] {
        let findings = spec(&format!(
            "{lines}\ncontainers: [{{name: web, image: IMAGE}}]"
        ))
        .unwrap_err();
        let told = findings[0].to_string();
        let place = format!(" at play.resources[0].spec{place}: ");
        assert!(
            told.contains(&place) && told.contains(cause),
            "{lines}: {told}"
        );
    }
}

#[test]
fn what_makes_no_pod_is_refused() {
    for (lines, cause) in [
        ("containers: []", "no container"),
        ("restartPolicy: Always", "no container"),
        ("containers: [{image: IMAGE}]", "no name"),
        (
            "containers: [{name: Web, image: IMAGE}]",
            "no name that an object",
        ),
        ("containers: [{name: web}]", "no image"),
        ("containers: [web]", "a mapping is expected"),
        (
            "containers: [{name: a, image: IMAGE}, {name: a, image: IMAGE}]",
            "also called app-a",
        ),
        (
            "initContainers: [{name: a, image: IMAGE, livenessProbe: {exec: {command: [x]}}}]\ncontainers: [{name: b, image: IMAGE}]",
            "has no probe",
        ),
    ] {
        let findings = spec(lines).unwrap_err();
        assert!(
            findings[0].cause.contains(cause),
            "{lines}: {}",
            findings[0]
        );
    }
    let long = "a".repeat(46);
    assert!(
        spec(&format!("containers: [{{name: {long}, image: IMAGE}}]")).unwrap_err()[0]
            .cause
            .contains("48")
    );
    let annotated = item(
        &pod("containers: [{name: a, image: IMAGE}]")
            .replace("note: hi", "io.podman.annotations.x: y"),
    );
    assert!(
        play(&format!(" resources:\n{annotated}")).unwrap_err()[0]
            .cause
            .contains("another engine")
    );
}

#[test]
fn what_stops_is_not_crowded_out_by_advice() {
    let many = (0..120)
        .map(|index| format!("    - {{NAME: V{index}, value: x}}\n"))
        .collect::<Vec<_>>()
        .concat();
    let text = format!(
        "containers:\n- name: web\n  image: IMAGE\n  env:\n{many}  lifecycle: {{preStop: x}}\n"
    );
    let (workload, findings) = all_of(&format!(" resources:\n{}", item(&pod(&text))));
    assert!(workload.is_none());
    let (stops, advice): (Vec<_>, Vec<_>) = findings.iter().partition(|one| one.stops());
    assert_eq!((stops.len(), advice.len()), (1, crate::finding::MOST));
    assert!(stops[0].cause.contains("lifecycle"), "{}", stops[0]);
}
