//! The whole mission on one machine, by Terraform: a page from a container in a guest, and data that outlives the guest.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hpcr_image::qemu::Accelerator;
use rig::{
    Error, Result, accelerator, collector, command,
    contract::Draft,
    dns, http, place, registry,
    terraform::{self, Project},
    wait, workload,
    world::World,
};
use serde_json::{Value, json};

use crate::common::{ANSWERED_WITHIN, ENDED_WITHIN, in_a_world};

/// The namespace has all ports for itself.
const PORT: u16 = 8080;

#[test]
fn terraform_brings_up_a_guest_that_serves_a_page_and_its_data_outlives_destroy() {
    if !terraform::is_here() {
        return;
    }
    in_a_world(|world| {
        let draft = world.draft();
        let page = |visits: u32| format!("{}\nvisits: {visits}\n", draft.greeting);
        let project = Project::of_example(world.scratch(), "local-qemu")?;
        prepare(&project, world, &draft)?;

        project.apply()?;
        assert_eq!(visit()?, page(1));
        assert!(project.is_settled()?);
        let state = project.state()?;
        for secret in [
            &draft.workload_seed,
            &draft.env_seed,
            &draft.registry_password,
            "PRIVATE KEY",
        ] {
            assert!(!state.contains(secret), "a secret stands in the state");
        }
        let first = process(&project)?;

        // A guest that ended is seen, and started again by the next apply.
        command::run(Command::new("kill").arg(first.to_string()), b"")?;
        wait::until("QEMU's end", ENDED_WITHIN, || Ok(gone(first).then_some(())))?;
        assert!(!project.is_settled()?);
        project.apply()?;
        assert_eq!(visit()?, page(2));
        let second = process(&project)?;
        assert!(second != first && project.is_settled()?);

        project.destroy()?;
        assert!(gone(second) && http::get(PORT, "/").is_none());
        project.apply()?;
        assert_eq!(visit()?, page(3));
        project.destroy()
    });
}

#[test]
fn a_guest_that_does_not_come_up_is_told_with_its_message_code_and_leaves_nothing_running() {
    if !terraform::is_here() {
        return;
    }
    in_a_world(|world| {
        let project = Project::of_example(world.scratch(), "local-qemu")?;
        prepare(&project, world, &world.draft())?;
        let main = project.folder.join("main.tf");
        let other = read(&main)?.replace("module.contract.user_data", "\"no contract\"");
        fs::write(&main, other).unwrap();
        let error = project.apply().unwrap_err().to_string();
        for told in [
            "ended before its services had started",
            "HPL11001E",
            "hpcr_guest.web",
        ] {
            assert!(error.contains(told), "{told} in {error}");
        }
        nothing_is_left(&project, world)
    });
}

#[test]
fn an_interrupt_switches_a_guest_off_that_is_on_its_way_up() {
    if !terraform::is_here() {
        return;
    }
    in_a_world(|world| {
        let project = Project::of_example(world.scratch(), "local-qemu")?;
        prepare(&project, world, &world.draft())?;
        let mut apply = project.command(&terraform::APPLY);
        let apply = apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let apply = apply.map_err(Error::io("starting terraform"))?;
        wait::until("the start of QEMU", ANSWERED_WITHIN, || {
            Ok(world.scratch().join("guest/web.pid").exists().then_some(()))
        })?;
        let terraform = apply.id().to_string();
        command::run(Command::new("kill").args(["-INT", &terraform]), b"")?;
        let ended = apply.wait_with_output();
        let ended = ended.map_err(Error::io("waiting for terraform"))?;
        assert!(!ended.status.success());
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            said.contains("interrupted before the guest's services had started"),
            "{said}"
        );
        nothing_is_left(&project, world)
    });
}

/// No guest runs, and none is in the state.
fn nothing_is_left(project: &Project, world: &World) -> Result<()> {
    let pid = read(&world.scratch().join("guest/web.pid")).unwrap_or_default();
    assert!(
        pid.trim().parse().map_or(true, gone),
        "QEMU runs on as {pid}"
    );
    assert!(!project.state()?.contains("\"hpcr_guest\""));
    Ok(())
}

/// Fills the example in: the image of this world in the compose file, everything else in variables.
fn prepare(project: &Project, world: &World, draft: &Draft) -> Result<()> {
    let compose = project.folder.join("compose/docker-compose.yaml");
    let text = read(&compose)?;
    let example = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("image: "))
        .unwrap();
    fs::write(&compose, text.replace(example, &draft.image)).unwrap();
    let accelerator = match accelerator::working()? {
        Accelerator::Kvm => "kvm",
        Accelerator::Tcg { .. } => "tcg",
    };
    project.set(&json!({
        "image": place::image(),
        "folder": world.scratch().join("guest"),
        "port": PORT,
        "accelerator": accelerator,
        "secrets": {
            "signing_key": read(&draft.signing_key)?,
            "workload_seed": draft.workload_seed,
            "env_seed": draft.env_seed,
            "collector": {
                "hostname": dns::COLLECTOR,
                "port": collector::PORT,
                "server": read(&draft.collector_authority)?,
                "cert": read(&draft.client.certificate)?,
                "key": read(&draft.client.key)?,
            },
            "auths": {
                registry::Registry::host(): {"username": registry::USER, "password": draft.registry_password},
            },
        },
        "registry_authorities": [{"registry": BASE64_STANDARD.encode(read(&draft.registry_authority)?)}],
        "environment": {"GREETING": draft.greeting},
    }))
}

fn visit() -> Result<String> {
    wait::until("the page", ANSWERED_WITHIN, || {
        Ok(http::get(PORT, "/cgi-bin/visit"))
    })
}

/// QEMU's process, by the state.
fn process(project: &Project) -> Result<i64> {
    let state: Value = serde_json::from_str(&project.state()?).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let guest = resources.iter().find(|one| one["type"] == "hpcr_guest");
    Ok(guest.unwrap()["instances"][0]["attributes"]["pid"]
        .as_i64()
        .unwrap())
}

/// Gone, or nothing but its remains.
fn gone(process: i64) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.is_empty() || status.contains("State:\tZ")
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))
}

/// The port of the compose file is the workload's own.
const _: () = assert!(workload::PORT == PORT);
