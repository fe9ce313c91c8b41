//! The ways to end it.

use std::{net::TcpStream, time::Duration};

use hpcr_image::initramfs::{Node, Tree};
use rig::http;

use crate::common::{ENDED_WITHIN, SHIPPED_WITHIN, appliance, boot, in_a_world};

#[test]
fn the_power_button_stops_the_workload_in_order_and_powers_off() {
    in_a_world(|world| {
        let guest = boot(&appliance(world, &world.draft())?)?;
        guest.press_power_button()?;
        guest.wait_for_power_off(ENDED_WITHIN)?;
        world.collector.wait_for("web: stopped", SHIPPED_WITHIN)?;
        Ok(())
    });
}

#[test]
fn sigterm_to_the_first_process_stops_the_workload_in_order_and_powers_off() {
    in_a_world(|world| {
        let mut appliance = appliance(world, &world.draft())?;
        let mut tree = Tree::default();
        let program = std::fs::read(env!("CARGO_BIN_EXE_hpcr-test-init")).unwrap();
        tree.insert("/test-init", Node::File(0o755, program));
        let lever = appliance.first_process("/test-init", &tree.to_cpio(0), 9)?;
        let guest = boot(&appliance)?;
        http::get(appliance.port, "/", Duration::from_secs(20))?;
        TcpStream::connect(("127.0.0.1", lever)).unwrap();
        guest.wait_for_power_off(ENDED_WITHIN)?;
        world.collector.wait_for("web: stopped", SHIPPED_WITHIN)?;
        Ok(())
    });
}
