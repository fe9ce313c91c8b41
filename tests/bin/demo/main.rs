//! `make run`: a confidential appliance boots, serves a page from its encrypted volume, and is switched off in order.
//!
//! Everything is real: the registry, the collector, the contract written with the openssl command line, the guest. It
//! asks nothing, needs no root, and ends with 0 only if every promise held.

#![forbid(unsafe_code)]

mod picture;

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use rig::{
    Error, Result, command,
    guest::{Appliance, Guest},
    namespace, place, workload,
    world::World,
};

const STARTED_WITHIN: Duration = Duration::from_mins(2);
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let inside = || ended(show());
    namespace::run(prepare, inside).unwrap_or_else(|error| ended(Err(error)))
}

fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nfailed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<()> {
    step("the workload image, from Debian packages");
    rig::prepare()
}

fn show() -> Result<()> {
    let scratch = Path::new(namespace::SCRATCH);
    step("a name server, a registry and a log collector, in a network of their own");
    let world = World::start(scratch, workload::image()?)?;
    println!("    image {}", world.draft().image);

    step("a contract: both sections sealed with openssl, and signed");
    let draft = world.draft();
    let contract = scratch.join("contract.yaml");
    let user_data = draft.seal(&place::certificate())?.user_data();
    fs::write(&contract, &user_data).map_err(Error::io("writing the contract"))?;
    print!("{}", indented(&check(&contract)?));

    step("the appliance boots in QEMU");
    let appliance = Appliance::new(scratch, Some(&user_data))?;
    let guest = appliance.boot(|line| println!("    | {}", line.text))?;
    guest.console.wait_for("HPL10001I", STARTED_WITHIN)?;
    let page = guest.get("/cgi-bin/visit", ANSWERS_WITHIN)?;
    let first_page = guest.age();

    step("its page");
    print!("{}", indented(&page));
    expect(
        page.contains(&draft.greeting) && page.contains("visits: 1"),
        "the page tells the greeting and the first visit",
    )?;
    timeline(&guest, first_page);
    let recorded = place::target().join("boot.svg");
    let picture = picture::of(&guest.console.lines(), &page, first_page);
    fs::write(&recorded, picture).map_err(Error::io("writing the recorded boot"))?;
    println!("    recorded in {}", recorded.display());

    step("the power button");
    guest.press_power_button()?;
    guest.wait_for_power_off(ANSWERS_WITHIN)?;
    world.collector.wait_for("web: stopped", ANSWERS_WITHIN)?;

    step("what the collector received, over mutual TLS");
    let received = world.collector.received()?;
    // The fourth field of RFC 5424 is the application.
    let is_kernel = |line: &&str| line.split(' ').nth(3) == Some("kernel");
    let (kernel, ours): (Vec<_>, Vec<_>) = received.lines().partition(is_kernel);
    print!("{}", indented(&ours.join("\n")));
    println!("    and {} lines of the kernel", kernel.len());
    let told = guest.console.to_string() + &received;
    expect(
        draft.secrets()?.iter().all(|secret| !told.contains(secret)),
        "no secret is on the console or at the collector",
    )?;
    println!("\nAll of it held.");
    Ok(())
}

/// What `hpcr-check` says of the contract, with the development key.
fn check(contract: &Path) -> Result<String> {
    let mut command = Command::new(place::program("hpcr-check"));
    command
        .args(["validate", "--key"])
        .arg(place::development_key())
        .arg(contract);
    Ok(String::from_utf8_lossy(&command::run(&mut command, b"")?).into_owned())
}

fn timeline(guest: &Guest, first_page: Duration) {
    step("the boot, phase by phase (ms)");
    let row = |name: &str, took: Option<Duration>, ended: Duration| {
        let took = took.map_or_else(String::new, |took| took.as_millis().to_string());
        println!(
            "    {name:<12} {took:>6}   done at {:>6}",
            ended.as_millis()
        );
    };
    if let Some(first_line) = guest.first_line() {
        row("kernel", None, first_line);
    }
    for phase in guest.timeline() {
        row(&phase.name, Some(phase.took), phase.ended);
    }
    row("first page", None, first_page);
}

fn expect(held: bool, promise: &str) -> Result<()> {
    if held {
        Ok(())
    } else {
        Err(Error::Broken(promise.into()))
    }
}

fn step(what: &str) {
    println!("\n==> {what}");
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| ["    ", line, "\n"].concat())
        .collect()
}
