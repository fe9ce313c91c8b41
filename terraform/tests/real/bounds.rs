//! Many resources and large folders: in time, and in memory.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::desk::{Desk, PROVIDER};
use crate::keys::file;

/// The most memory that the provider may take, in KiB.
const MEMORY: u64 = 256 << 10;

/// Runs Terraform and gives the most memory that a provider took meanwhile, in KiB, and the time.
fn measured(desk: &Desk, arguments: &[&str]) -> (u64, Duration) {
    let begun = Instant::now();
    let mut terraform = desk.start(arguments);
    let (id, mut most) = (terraform.id(), 0);
    let status = loop {
        most = most.max(providers_of(id));
        if let Some(status) = terraform.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success());
    (most, begun.elapsed())
}

/// The most memory that a provider of this Terraform has taken so far, in KiB.
fn providers_of(terraform: u32) -> u64 {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let taken = processes.filter_map(|process| {
        let path = process.path();
        if fs::read_link(path.join("exe")).ok()?.to_str()? != PROVIDER {
            return None;
        }
        let status = fs::read_to_string(path.join("status")).ok()?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        (number("PPid:")? == u64::from(terraform)).then(|| number("VmHWM:"))?
    });
    taken.max().unwrap_or_default()
}

#[test]
fn a_thousand_resources_in_one_plan_are_bounded_in_time_and_memory() {
    let Some(desk) = Desk::new() else { return };
    desk.configure(&format!(
        "resource \"hpcr_text_encrypted\" \"it\" {{\n  count = 1000\n  text  = \"secret ${{count.index}}\"\n  cert  = file(\"{}\")\n}}\n",
        file("image.crt").display()
    ));
    let (memory, time) = measured(&desk, &["plan", "-no-color", "-compact-warnings"]);
    eprintln!("1,000 resources: {time:?}, {memory} KiB");
    assert!(memory > 0 && memory < MEMORY, "{memory} KiB");
    assert!(time < Duration::from_mins(1), "{time:?}");
}

#[test]
fn a_folder_of_ten_mebibytes_is_bounded_in_time_and_memory() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    // Bytes that do not shrink: as large on every way that they go.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    })
    .take(10 << 20)
    .collect();
    desk.write("app/noise", noise);
    desk.configure(&format!(
        "resource \"hpcr_tgz\" \"it\" {{\n  folder = \"app\"\n}}\nresource \"hpcr_tgz_encrypted\" \"it\" {{\n  folder = \"app\"\n  cert   = file(\"{}\")\n}}\n",
        file("image.crt").display()
    ));
    let (memory, time) = measured(&desk, &["apply", "-auto-approve", "-no-color"]);
    eprintln!("10 MiB: {time:?}, {memory} KiB");
    assert!(memory > 0 && memory < 2 * MEMORY, "{memory} KiB");
    assert!(time < Duration::from_mins(1), "{time:?}");
    assert!(!desk.would_change());
}
