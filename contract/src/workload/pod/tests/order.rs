#![allow(clippy::unwrap_used)]

use super::*;
use crate::messages::{DATA_LOST, WORKLOAD_ADVICE};
use crate::plan::{Condition, Restart, Role};

#[test]
fn init_containers_run_one_after_the_other_before_all_others() {
    let services = spec(concat!(
        "initContainers:\n- {name: one, image: IMAGE}\n- {name: side, image: IMAGE, restartPolicy: Always}\n",
        "- {name: ready, image: IMAGE, restartPolicy: Always, startupProbe: {exec: {command: [x]}}}\n- {name: two, image: IMAGE}\n",
        "containers:\n- {name: web, image: IMAGE}\n- {name: log, image: IMAGE}\n",
    ))
    .unwrap();
    let told: Vec<_> = services
        .iter()
        .map(|service| {
            let needs: Vec<_> = service
                .depends_on
                .iter()
                .map(|need| format!("{} {:?}", need.service, need.condition))
                .collect();
            (
                service.name.as_str(),
                service.role,
                service.restart,
                needs.join(", "),
            )
        })
        .collect();
    let one = format!("app-one {:?}", Condition::Completed);
    let side = format!("{one}, app-side {:?}", Condition::Started);
    let ready = format!("{side}, app-ready {:?}", Condition::Healthy);
    let all = format!("{ready}, app-two {:?}", Condition::Completed);
    let step = Restart::OnFailure(None);
    assert_eq!(
        told,
        [
            ("app-one", Role::Init, step, String::new()),
            ("app-side", Role::Main, Restart::Always, one),
            ("app-ready", Role::Main, Restart::Always, side),
            ("app-two", Role::Init, step, ready),
            ("app-web", Role::Main, Restart::Always, all.clone()),
            ("app-log", Role::Main, Restart::Always, all),
        ]
    );
    let never = spec("restartPolicy: Never\ninitContainers: [{name: one, image: IMAGE}]\ncontainers: [{name: web, image: IMAGE}]\n").unwrap();
    assert_eq!(never[0].restart, Restart::No);
}

#[test]
fn two_pods_are_two_groups_and_names_are_unique() {
    let two = |one: &str, other: &str, container: &str| {
        let pod = |name: &str, container: &str| {
            item(&pod(&format!("containers: [{{name: {container}, image: IMAGE, ports: [{{containerPort: 80}}]}}]")).replace("name: app", &format!("name: {name}")))
        };
        play(&format!(
            " resources:\n{}{}",
            pod(one, "web"),
            pod(other, container)
        ))
    };
    let groups: Vec<_> = two("a", "b", "web")
        .unwrap()
        .services
        .into_iter()
        .map(|service| service.group)
        .collect();
    assert_eq!(groups, ["a", "b"]);
    assert!(
        two("a", "a", "db").unwrap_err()[0]
            .cause
            .contains("another Pod")
    );
    assert!(
        two("a-b", "a", "b-web").unwrap_err()[0]
            .cause
            .contains("a-b-web")
    );
}

#[test]
fn a_port_of_the_guest_is_published_once() {
    let lines = "containers:\n- {name: a, image: IMAGE, ports: [{containerPort: 80, hostPort: 80}]}\n- {name: b, image: IMAGE, ports: [{containerPort: 81, hostPort: 80}]}\n";
    let findings = spec(lines).unwrap_err();
    assert_eq!(
        &*findings[0].cause,
        "port 80/tcp of the guest is published twice: by app-a and by app-b"
    );
    assert_eq!(
        findings[0].place.path,
        "play.resources[0].spec.containers[1].ports[0]"
    );
    assert_eq!(findings.len(), 1);
}

#[test]
fn the_plan_of_one_play_is_always_the_same() {
    let lines = "containers: [{name: a, image: IMAGE, envFrom: [{configMapRef: {name: contract.config.map}}]}]";
    let told = || format!("{:?}", spec(lines).unwrap());
    assert_eq!(told(), told());
}

#[test]
fn what_is_worth_a_look_is_told_and_stops_nothing() {
    for (lines, cause) in [
        (
            "containers: [{name: a, image: IMAGE, ports: [{containerPort: 80}]}]",
            Some("none is published"),
        ),
        (
            "containers: [{name: a, image: IMAGE, ports: [{containerPort: 80, hostPort: 80}]}]",
            None,
        ),
        (
            "containers: [{name: a, image: IMAGE, ports: }, {name: b, image: IMAGE, ports: []}]",
            None,
        ),
        (
            "restartpolicy: Always\ncontainers: [{name: a, image: IMAGE}]",
            Some("the key `restartpolicy` is taken for `restartPolicy`"),
        ),
        (
            "containers: [{name: a, image: IMAGE, volumeMounts: [{name: d, mountPath: \"/d:U\"}]}]\nvolumes: [{name: d, hostPath: {path: /mnt/data}}]",
            Some("changes no owner"),
        ),
        (
            "containers: [{name: a, image: IMAGE, securityContext: {privileged: true}}]",
            Some("all capabilities"),
        ),
        (
            "containers: [{name: a, image: IMAGE, volumeMounts: [{name: d, mountPath: /var/lib/mysql}]}]\nvolumes: [{name: d, emptyDir: {}}]",
            Some("gone at power-off"),
        ),
        (
            "containers: [{name: a, image: IMAGE, volumeMounts: [{name: d, mountPath: /data}]}]\nvolumes: [{name: d, emptyDir: {medium: Memory}}]",
            Some("gone at power-off"),
        ),
        (
            "containers: [{name: a, image: IMAGE, volumeMounts: [{name: d, mountPath: /var/run/app}]}]\nvolumes: [{name: d, emptyDir: {}}]",
            None,
        ),
        (
            "containers: [{name: a, image: IMAGE, securityContext: {allowPrivilegeEscalation: true}}]",
            Some("gains privileges"),
        ),
        (
            "containers: [{name: a, image: IMAGE, env: [{name: DIR, value: /mnt/data/x}]}]",
            Some("its variable DIR names a path of a data volume"),
        ),
    ] {
        let (workload, findings) = all_of(&format!(" resources:\n{}", item(&pod(lines))));
        assert!(workload.is_some(), "{lines}");
        let told: Vec<_> = findings.iter().map(|finding| &*finding.cause).collect();
        assert_eq!(told.len(), cause.iter().len(), "{lines}: {told:?}");
        assert!(cause.is_none_or(|cause| told[0].contains(cause)));
        assert!(
            findings
                .iter()
                .all(|finding| [WORKLOAD_ADVICE, DATA_LOST].contains(&finding.code))
        );
    }
}
