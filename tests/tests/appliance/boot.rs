//! A contract boots a workload.

use std::time::Duration;

use rig::http;

use crate::common::{ENDED_WITHIN, SHIPPED_WITHIN, appliance, assert_no_secret, boot, in_a_world};

const PHASES: [&str; 13] = [
    "early",
    "platform",
    "cidata",
    "network",
    "key",
    "contract",
    "attestation",
    "time",
    "logging",
    "disk",
    "images",
    "workload",
    "supervise",
];

#[test]
fn a_contract_boots_a_workload_and_a_second_boot_finds_the_counter_where_it_was() {
    in_a_world(|world| {
        let draft = world.draft();
        let appliance = appliance(world, &draft)?;
        let visit = || http::get(appliance.port, "/cgi-bin/visit", Duration::from_secs(20));

        let guest = boot(&appliance)?;
        assert!(
            http::get(appliance.port, "/", Duration::from_secs(20))?
                .contains("A confidential appliance")
        );
        assert_eq!(visit()?, format!("{}\nvisits: 1\n", draft.greeting));
        assert_eq!(visit()?, format!("{}\nvisits: 2\n", draft.greeting));
        world.collector.wait_for("web: visit 2", SHIPPED_WITHIN)?;
        guest.press_power_button()?;
        guest.wait_for_power_off(ENDED_WITHIN)?;
        assert_no_secret(world, &draft, &guest.console.to_string())?;

        let guest = boot(&appliance)?;
        assert_eq!(visit()?, format!("{}\nvisits: 3\n", draft.greeting));
        guest.press_power_button()?;
        guest.wait_for_power_off(ENDED_WITHIN)?;
        assert_no_secret(world, &draft, &guest.console.to_string())
    });
}

#[test]
fn the_phases_come_in_their_order_and_the_image_says_that_it_is_for_development() {
    in_a_world(|world| {
        let guest = boot(&appliance(world, &world.draft())?)?;
        let phases: Vec<_> = guest
            .timeline()
            .into_iter()
            .map(|phase| phase.name)
            .collect();
        assert!(
            PHASES.starts_with(&phases.iter().map(String::as_str).collect::<Vec<_>>()),
            "{phases:?}"
        );
        assert!(phases.len() >= PHASES.len() - 1, "{phases:?}");
        let first = guest
            .console
            .lines()
            .into_iter()
            .find(|line| line.text.contains("hpcr"));
        let first = first
            .unwrap_or_else(|| panic!("nothing of hpcr-init on the console:\n{}", guest.console));
        assert!(
            first.text.to_lowercase().contains("development"),
            "{}",
            first.text
        );
        Ok(())
    });
}

#[test]
fn the_collector_gets_the_boot_and_the_workload_in_rfc_5424_and_the_console_gets_no_workload_line()
{
    in_a_world(|world| {
        let appliance = appliance(world, &world.draft())?;
        let guest = boot(&appliance)?;
        http::get(appliance.port, "/cgi-bin/visit", Duration::from_secs(20))?;
        for told in ["HPL10001I", "web: serving on port 8080", "web: visit 1"] {
            let line = world.collector.wait_for(told, SHIPPED_WITHIN)?;
            let fields: Vec<_> = line.splitn(8, ' ').collect();
            assert!(
                fields.len() >= 7 && fields[0].starts_with('<') && fields[0].ends_with(">1"),
                "{line}"
            );
            assert!(fields[1].contains('T'), "{line}");
        }
        let console = guest.console.to_string();
        assert!(!console.contains("web: "), "{console}");
        Ok(())
    });
}
