//! Services that wait for each other: steps, health, and the order of starts and stops.

use crate::common::{
    SHIPPED_WITHIN, STARTED_WITHIN, appliance, assert_no_secret, boot, in_a_world, switch_off,
    visit,
};

/// The page needs a store that is healthy; the store needs a step that has prepared the volume. The step fails at first.
const THREE: &str = r#"    depends_on:
      store: {condition: service_healthy}
  store:
    image: IMAGE
    command: ["sh", "-c", "echo store: found $$(cat /data/prepared); trap 'echo store: stopped; exit 0' TERM; busybox sleep 2; echo 1 > /ready; echo store: ready; while :; do busybox sleep 0.2; done"]
    volumes: ["/mnt/data:/data:ro"]
    read_only: false
    mem_limit: 64m
    pids_limit: 50
    depends_on:
      step: {condition: service_completed_successfully}
    healthcheck:
      test: ["CMD", "cat", "/ready"]
      interval: 1s
      timeout: 5s
      retries: 60
  step:
    image: IMAGE
    command: ["sh", "-c", "busybox test -e /data/tried || { echo once > /data/tried; exit 1; }; echo step: prepares; echo by-the-step > /data/prepared"]
    volumes: ["/mnt/data:/data"]
    restart: on-failure:3
"#;

#[test]
fn a_service_starts_when_its_step_has_ended_well_and_what_it_needs_is_healthy() {
    in_a_world(|world| {
        let mut draft = world.draft();
        draft.further = THREE;
        let guest = boot(&appliance(world, &draft)?)?;
        assert!(visit(&guest)?.ends_with("visits: 1\n"));
        let told = [
            "step: prepares",
            "store: found by-the-step",
            "store: ready",
            "web: serving on port 8080",
        ];
        for line in told.into_iter().chain(["HPL10001I"]) {
            world.collector.wait_for(line, SHIPPED_WITHIN)?;
        }
        switch_off(&guest)?;
        world.collector.wait_for("store: stopped", SHIPPED_WITHIN)?;
        let received = world.collector.received()?;
        let place = |line| received.find(line);
        assert!(told.map(place).is_sorted(), "{received}");
        assert!(place("store: ready") < place("HPL10001I"), "{received}");
        assert!(
            place("web: stopped") < place("store: stopped"),
            "{received}"
        );
        assert_no_secret(world, &draft, &guest.console.to_string())
    });
}

/// The page waits for a step that fails for good.
const FAILING: &str = r#"    depends_on:
      step: {condition: service_completed_successfully}
  step:
    image: IMAGE
    command: ["sh", "-c", "echo 'step: no luck' >&2; exit 5"]
"#;

#[test]
fn a_step_that_fails_ends_the_appliance_with_its_name_and_nothing_that_waits_for_it_starts() {
    in_a_world(|world| {
        let mut draft = world.draft();
        draft.further = FAILING;
        let guest = appliance(world, &draft)?.boot(|_| ())?;
        guest.wait_for_power_off(STARTED_WITHIN)?;
        let console = guest.console.to_string();
        let failure = console.lines().find(|line| line.contains("HPL08004E"));
        assert!(
            failure.is_some_and(|line| line.contains("step") && line.contains("status 5")),
            "{console}"
        );
        assert!(!console.contains("HPL10001I"), "{console}");
        world.collector.wait_for("step: no luck", SHIPPED_WITHIN)?;
        assert!(!world.collector.received()?.contains("web: serving"));
        Ok(())
    });
}
