//! What every guest test needs: a world in a namespace, an appliance in it, and the search for secrets that got out.

use std::{path::Path, time::Duration};

use rig::{
    Result,
    contract::{Draft, Sealed},
    guest::{Appliance, Guest},
    namespace, place,
    slots::Slot,
    workload,
    world::World,
};

/// A refusal ends in power-off within this time from the start of QEMU.
const REFUSED_WITHIN: Duration = Duration::from_secs(30);
/// A boot that should succeed has shown its success message within this time, on a busy machine.
pub(crate) const STARTED_WITHIN: Duration = Duration::from_secs(90);
/// How long an orderly power-off may take.
pub(crate) const ENDED_WITHIN: Duration = Duration::from_secs(30);
/// How long a workload that has started may take to answer.
pub(crate) const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// How long the collector's file may lag behind.
pub(crate) const SHIPPED_WITHIN: Duration = Duration::from_secs(10);

/// Runs a test's body in a world of its own.
pub(crate) fn in_a_world<F: FnOnce(&World) -> Result<()>>(body: F) {
    let prepare = || {
        let slot = Slot::take();
        rig::prepare().map(|()| slot)
    };
    namespace::isolated_as(namespace::test_name::<F>(), prepare, || {
        body(&World::start(
            Path::new(namespace::SCRATCH),
            workload::image()?,
        )?)
    });
}

/// The draft, sealed for the image's key.
pub(crate) fn seal(draft: &Draft) -> Result<Sealed> {
    draft.seal(&place::certificate())
}

/// A new appliance with blank disks, for this contract.
pub(crate) fn appliance(world: &World, draft: &Draft) -> Result<Appliance> {
    Appliance::new(world.scratch(), Some(&seal(draft)?.user_data()))
}

/// Boots to the success message.
pub(crate) fn boot(appliance: &Appliance) -> Result<Guest> {
    let guest = appliance.boot(|_| ())?;
    guest.console.wait_for("HPL10001I", STARTED_WITHIN)?;
    Ok(guest)
}

/// Visits the page that counts.
pub(crate) fn visit(guest: &Guest) -> Result<String> {
    guest.get("/cgi-bin/visit", ANSWERED_WITHIN)
}

/// Presses the power button and waits for the end.
pub(crate) fn switch_off(guest: &Guest) -> Result<()> {
    guest.press_power_button()?;
    guest.wait_for_power_off(ENDED_WITHIN)
}

/// Boots an appliance that must refuse: it ends in power-off in time, with `code` and the words of the cause on the
/// console, and tells no secret. Gives the console.
pub(crate) fn refused(
    world: &World,
    draft: &Draft,
    appliance: &Appliance,
    code: &str,
    cause: &[&str],
) -> Result<String> {
    let guest = appliance.boot(|_| ())?;
    guest.wait_for_power_off(REFUSED_WITHIN)?;
    let console = guest.console.to_string();
    let line = console.lines().find(|line| line.contains(code));
    let line = line.unwrap_or_else(|| panic!("no {code} on the console:\n{console}"));
    for word in cause {
        assert!(
            line.contains(word),
            "the cause does not name `{word}`: {line}\n{console}"
        );
    }
    assert!(!console.contains("HPL10001I"), "{console}");
    assert_no_secret(world, draft, &console)?;
    Ok(console)
}

/// Neither the console nor the collector holds a secret of the draft.
pub(crate) fn assert_no_secret(world: &World, draft: &Draft, console: &str) -> Result<()> {
    let received = world.collector.received()?;
    for secret in draft.secrets()? {
        assert!(
            !console.contains(&secret),
            "a secret on the console: {secret}\n{console}"
        );
        assert!(
            !received.contains(&secret),
            "a secret at the collector: {secret}\n{received}"
        );
    }
    Ok(())
}
