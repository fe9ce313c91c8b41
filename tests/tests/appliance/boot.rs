//! A contract boots a workload.

use hpcr_image::manifest;
use rig::{guest::Appliance, place};

use crate::common::{
    ANSWERED_WITHIN, SHIPPED_WITHIN, appliance, assert_no_secret, boot, in_a_world, seal,
    switch_off, visit,
};

/// Those that end while the workload runs: it is in `supervise` then.
const PHASES: &str =
    "early platform cidata network key contract attestation time logging disk images workload";

/// The page as a Pod: a step, the deployer's greeting by a template, what a ConfigMap says, and a readiness check.
const POD: &str = r#"  resources:
    - apiVersion: v1
      kind: ConfigMap
      metadata: {name: notes}
      data: {note: from the config map}
  templates:
    - apiVersion: v1
      kind: Pod
      metadata: {name: page}
      spec:
        initContainers:
          - name: step
            image: IMAGE
            command: ["sh", "-c", "echo step: $(cat /notes/note)"]
            volumeMounts: [{name: notes, mountPath: /notes}]
        containers:
          - name: web
            image: IMAGE
            env: [{name: GREETING, value: "{{ .Env.GREETING }}"}]
            ports: [{containerPort: 8080, hostPort: 8080}]
            readinessProbe:
              httpGet: {path: /, port: 8080}
              periodSeconds: 1
              failureThreshold: 60
            volumeMounts: [{name: data, mountPath: /data}]
        volumes:
          - {name: notes, configMap: {name: notes}}
          - {name: data, hostPath: {path: /mnt/data}}
"#;

/// The second boot brings the same page and volume as a Pod, in the modern form of a contract.
#[test]
fn a_contract_boots_a_workload_and_a_second_boot_finds_the_counter_where_it_was() {
    in_a_world(|world| {
        let mut draft = world.draft();
        let greeting = draft.greeting.clone();
        let page = |visits: u32| format!("{greeting}\nvisits: {visits}\n");
        let mut appliance = appliance(world, &draft)?;

        let guest = boot(&appliance)?;
        let front = guest.get("/", ANSWERED_WITHIN)?;
        assert!(front.contains("A confidential appliance"), "{front}");
        assert_eq!(visit(&guest)?, page(1));
        assert_eq!(visit(&guest)?, page(2));
        switch_off(&guest)?;
        assert_no_secret(world, &draft, &guest.console.to_string())?;

        draft.play = Some(POD);
        let modern = draft.seal_with_age(&place::recipient())?.user_data();
        appliance.seed(Some(&modern))?;
        let guest = boot(&appliance)?;
        assert_eq!(visit(&guest)?, page(3));
        let step = "step: from the config map";
        world.collector.wait_for(step, SHIPPED_WITHIN)?;
        switch_off(&guest)?;
        assert_no_secret(world, &draft, &guest.console.to_string())
    });
}

#[test]
fn the_phases_come_in_their_order_and_the_image_says_first_that_it_is_for_development() {
    in_a_world(|world| {
        let guest = boot(&appliance(world, &world.draft())?)?;
        // The success message is the phase's last act; its own line comes a moment later.
        guest.console.wait_for("phase workload", ANSWERED_WITHIN)?;
        let phases: Vec<_> = guest
            .timeline()
            .into_iter()
            .map(|phase| phase.name)
            .collect();
        assert_eq!(phases.join(" "), PHASES);
        let first = guest.console.lines().remove(0).text;
        assert!(
            first.to_lowercase().contains("development"),
            "{}",
            guest.console
        );
        Ok(())
    });
}

/// What the DHCP server of QEMU would have said, and an MTU that it would not.
const NETWORK_CONFIG: &str = "\
network:
  version: 2
  ethernets:
    eth0:
      addresses: [10.0.2.15/24]
      gateway4: 10.0.2.2
      nameservers: {addresses: [10.0.2.3]}
      mtu: 1400
";

#[test]
fn a_network_configuration_on_the_seed_disk_takes_the_place_of_dhcp() {
    in_a_world(|world| {
        let user_data = seal(&world.draft())?.user_data();
        let mut appliance = Appliance::new(world.scratch(), None)?;
        appliance.seed_with_network(&user_data, NETWORK_CONFIG)?;
        let guest = boot(&appliance)?;
        assert!(visit(&guest)?.ends_with("visits: 1\n"));
        let console = guest.console.to_string();
        let ready = console.lines().find(|line| line.contains("HPL14000I"));
        assert!(
            ready.is_some_and(|line| line.ends_with("eth0 10.0.2.15/24")),
            "{console}"
        );
        Ok(())
    });
}

#[test]
fn without_a_scratch_disk_images_stay_in_memory() {
    in_a_world(|world| {
        let mut appliance = appliance(world, &world.draft())?;
        appliance.scratch = None;
        appliance.memory = 768;
        let guest = boot(&appliance)?;
        assert!(visit(&guest)?.ends_with("visits: 1\n"));
        let console = guest.console.to_string();
        assert!(console.contains("images stay in memory"), "{console}");
        Ok(())
    });
}

#[test]
fn the_collector_gets_the_boot_and_the_workload_in_rfc_5424_and_the_console_no_workload_line() {
    in_a_world(|world| {
        let guest = boot(&appliance(world, &world.draft())?)?;
        visit(&guest)?;
        for told in [
            "HPL10001I",
            "phase early",
            "web: serving on port 8080",
            "web: visit 1",
        ] {
            let line = world.collector.wait_for(told, SHIPPED_WITHIN)?;
            let fields: Vec<_> = line.splitn(8, ' ').collect();
            let is_header =
                fields.len() == 8 && fields[0].starts_with('<') && fields[0].ends_with(">1");
            assert!(is_header && fields[1].ends_with('Z'), "{line}");
        }
        let console = guest.console.to_string();
        assert!(!console.contains("web: "), "{console}");
        Ok(())
    });
}

#[test]
fn the_image_is_smaller_than_64_mib() {
    rig::prepare().unwrap();
    let size = |part| std::fs::metadata(place::image().join(part)).unwrap().len();
    let image = size(manifest::KERNEL) + size(manifest::INITRAMFS);
    assert!(image < 64 << 20, "{image} bytes");
}
