//! The same contract makes the same plan, however its keys are ordered.

use proptest::prelude::*;

use super::*;
use crate::finding::Place;

/// A plan with its secrets, as text.
fn whole(workload: &str, env: &str) -> String {
    let Ok(mut plan) = plan(workload, env) else {
        return format!("{:?}", refused(workload, env));
    };
    // Where a warning stands is as the lines are ordered; what it says is not.
    plan.warnings
        .sort_by(|one, other| one.place.path.cmp(&other.place.path));
    for warning in &mut plan.warnings {
        warning.place = Place::at("", &warning.place.path);
    }
    let passphrases = plan
        .volumes
        .iter()
        .map(|volume| volume.passphrase.expose_secret());
    let passphrases: Vec<_> = passphrases.collect();
    let services = plan
        .workload
        .services
        .iter()
        .flat_map(|service| &service.environment);
    let values: Vec<_> = services
        .map(|(name, value)| (name, value.expose_secret()))
        .collect();
    format!("{plan:?}{passphrases:?}{values:?}")
}

/// Lines of one mapping in this order, and the other way round.
fn both_ways(head: &str, lines: &[String]) -> [String; 2] {
    let text = |lines: Vec<&str>| {
        if lines.is_empty() {
            String::new()
        } else {
            format!("{head}:\n{}", lines.concat())
        }
    };
    let forth: Vec<_> = lines.iter().map(String::as_str).collect();
    let back = forth.iter().rev().copied().collect();
    [text(forth), text(back)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_plan_of_a_contract_is_always_the_same(
        volumes in prop::collection::btree_map("[a-z]{1,6}", "(/[a-z]{1,3}){1,2}", 0..4),
        variables in prop::collection::btree_map("[A-Z]{1,6}", "[a-z ]{0,6}", 0..4),
    ) {
        let of_workload: Vec<_> = volumes
            .iter()
            .map(|(name, mount)| format!("  {name}: {{seed: workload-{name}-0123456789, mount: /mnt{mount}}}\n"))
            .collect();
        let of_env: Vec<_> = volumes.keys().map(|name| format!("  {name}: {{seed: env-{name}-0123456789}}\n")).collect();
        let of_variables: Vec<_> = variables.iter().map(|(name, value)| format!("  {name}: '{value}'\n")).collect();
        let (of_workload, of_env) = (both_ways("volumes", &of_workload), both_ways("volumes", &of_env));
        let of_variables = both_ways("env", &of_variables);
        let made = |way: usize| {
            let workload = workload_text(&format!("env: {{REGISTRY: r.example}}\n{}", of_workload[way]));
            whole(&workload, &env_text(&format!("{}{}", of_variables[way], of_env[way])))
        };
        prop_assert_eq!(made(0), made(0));
        prop_assert_eq!(made(0), made(1));
    }
}
