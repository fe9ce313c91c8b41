//! The ways to end it.

use std::net::TcpStream;

use hpcr_image::initramfs::{Node, Tree};

use rig::{Result, world::World};

use crate::common::{
    ENDED_WITHIN, SHIPPED_WITHIN, STARTED_WITHIN, appliance, boot, in_a_world, switch_off, visit,
};

#[test]
fn the_power_button_stops_the_workload_in_order_and_powers_off() {
    in_a_world(|world| {
        let guest = boot(&appliance(world, &world.draft())?)?;
        visit(&guest)?;
        switch_off(&guest)?;
        world.collector.wait_for("web: stopped", SHIPPED_WITHIN)?;
        Ok(())
    });
}

#[test]
fn ctrl_c_in_hpcr_image_run_stops_the_workload_in_order_and_powers_off() {
    in_a_world(|world| {
        let guest = appliance(world, &world.draft())?.run()?;
        guest.console.wait_for("HPL10001I", STARTED_WITHIN)?;
        guest.interrupt()?;
        guest.wait_for_power_off(ENDED_WITHIN)?;
        world.collector.wait_for("web: stopped", SHIPPED_WITHIN)?;
        Ok(())
    });
}

#[test]
fn sigterm_to_the_first_process_stops_the_workload_in_order_and_powers_off() {
    in_a_world(|world| {
        let mut appliance = appliance(world, &world.draft())?;
        let program = std::fs::read(env!("CARGO_BIN_EXE_hpcr-test-init")).unwrap();
        let mut tree = Tree::default();
        tree.insert("/test-init", Node::File(0o755, program));
        appliance.first_process("/test-init", &tree.to_cpio(0))?;
        let lever = appliance.forward(9)?;
        let guest = boot(&appliance)?;
        visit(&guest)?;
        TcpStream::connect(("127.0.0.1", lever)).unwrap();
        guest.wait_for_power_off(ENDED_WITHIN)?;
        world.collector.wait_for("web: stopped", SHIPPED_WITHIN)?;
        Ok(())
    });
}

#[test]
fn a_container_that_ends_well_ends_the_appliance_in_order() {
    in_a_world(|world| {
        let console = boot_to_the_end(world, "echo 'the work is done'")?;
        assert!(console.contains("the workload has ended"), "{console}");
        assert!(!console.contains("HPL10000E"), "{console}");
        world
            .collector
            .wait_for("the work is done", SHIPPED_WITHIN)?;
        Ok(())
    });
}

#[test]
fn a_container_that_fails_ends_the_appliance_with_its_service_and_status() {
    in_a_world(|world| {
        let console = boot_to_the_end(world, "echo 'no luck today' >&2; exit 3")?;
        let failure = console.lines().find(|line| line.contains("HPL08004E"));
        assert!(
            failure.is_some_and(|line| line.contains("web") && line.contains("status 3")),
            "{console}"
        );
        assert!(console.contains("HPL10000E"), "{console}");
        world.collector.wait_for("no luck today", SHIPPED_WITHIN)?;
        Ok(())
    });
}

/// Boots with a container that runs `command` alone, waits for the power to go off, and gives the console.
fn boot_to_the_end(world: &World, command: &'static str) -> Result<String> {
    let mut draft = world.draft();
    draft.command = Some(command);
    let guest = appliance(world, &draft)?.boot(|_| ())?;
    guest.wait_for_power_off(STARTED_WITHIN)?;
    Ok(guest.console.to_string())
}
