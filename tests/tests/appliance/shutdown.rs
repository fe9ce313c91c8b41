//! The ways to end it.

use std::net::TcpStream;

use hpcr_image::initramfs::{Node, Tree};

use crate::common::{ENDED_WITHIN, SHIPPED_WITHIN, appliance, boot, in_a_world, switch_off, visit};

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
fn sigterm_to_the_first_process_stops_the_workload_in_order_and_powers_off() {
    in_a_world(|world| {
        let mut appliance = appliance(world, &world.draft())?;
        let program = std::fs::read(env!("CARGO_BIN_EXE_hpcr-test-init")).unwrap();
        let mut tree = Tree::default();
        tree.insert("/test-init", Node::File(0o755, program));
        let lever = appliance.first_process("/test-init", &tree.to_cpio(0), 9)?;
        let guest = boot(&appliance)?;
        visit(&guest)?;
        TcpStream::connect(("127.0.0.1", lever)).unwrap();
        guest.wait_for_power_off(ENDED_WITHIN)?;
        world.collector.wait_for("web: stopped", SHIPPED_WITHIN)?;
        Ok(())
    });
}
