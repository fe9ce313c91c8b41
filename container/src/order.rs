//! When a service may start, when the workload is up, and when a service's turn to stop comes. Pure: no time passes here.

use std::collections::BTreeMap;
use std::time::Duration;

use hpcr_contract::plan::{Condition, Role, Service};

/// How far a service has come. What has happened once stays so when it is started again, but for its health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its program has been executed.
    pub started: bool,
    /// Its startup and readiness checks have all passed at the same time; without any, it has started.
    pub ready: bool,
    /// A readiness check has failed as often as counts.
    pub unhealthy: bool,
    /// It has ended for good, and whether it ended well.
    pub ended: Option<bool>,
}

/// How a wait for another service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It is over.
    Over,
    /// It goes on. A service that failed ends the whole workload with a cause of its own.
    GoesOn,
    /// What is waited for cannot come any more.
    InVain(&'static str),
}

/// How the wait for this condition stands.
pub(crate) fn wait(condition: Condition, of: Standing) -> Wait {
    match (condition, of) {
        (Condition::Started, Standing { started: true, .. })
        | (Condition::Healthy, Standing { ready: true, .. })
        | (
            Condition::Completed,
            Standing {
                ended: Some(true), ..
            },
        ) => Wait::Over,
        (
            Condition::Healthy,
            Standing {
                unhealthy: true, ..
            },
        ) => Wait::InVain("its health check fails"),
        (
            Condition::Healthy | Condition::Started,
            Standing {
                ended: Some(true), ..
            },
        ) => Wait::InVain("it ended before that"),
        _ => Wait::GoesOn,
    }
}

/// Whether a service has come to where the whole workload counts as up.
pub(crate) fn is_up(role: Role, standing: Standing) -> bool {
    match role {
        Role::Init => standing.ended == Some(true),
        Role::Main => standing.ready || standing.ended == Some(true),
    }
}

/// When a service stops: those with turn 0 first, as nobody needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    turn: u32,
    of: u32,
}

impl Turn {
    /// The only turn.
    #[cfg(test)]
    pub(crate) const ONLY: Self = Self { turn: 0, of: 1 };

    /// When this turn begins at the latest, within the time that there is for all of them.
    pub(crate) fn begins(self, limit: Duration) -> Duration {
        limit * self.turn / self.of
    }

    /// When this turn ends.
    pub(crate) fn ends(self, limit: Duration) -> Duration {
        limit * (self.turn + 1) / self.of
    }
}

/// The turn of each service: behind all that need it. Services come after what they depend on; where one does not, its
/// name is the error.
pub(crate) fn turns(services: &[Service]) -> Result<Vec<Turn>, String> {
    let mut known = BTreeMap::new();
    let mut turns = vec![0; services.len()];
    for (place, service) in services.iter().enumerate() {
        let needed = service.depends_on.iter();
        if !needed
            .clone()
            .all(|need| known.contains_key(need.service.as_str()))
        {
            return Err(service.name.clone());
        }
        known.insert(service.name.as_str(), place);
    }
    for (place, service) in services.iter().enumerate().rev() {
        let after: u32 = turns[place] + 1;
        for need in &service.depends_on {
            let needed = &mut turns[known[need.service.as_str()]];
            *needed = after.max(*needed);
        }
    }
    let of = turns.iter().max().map_or(1, |last| last + 1);
    Ok(turns.into_iter().map(|turn| Turn { turn, of }).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::spec::tests::service;
    use hpcr_contract::plan::Dependency;

    const NEW: Standing = Standing {
        started: false,
        ready: false,
        unhealthy: false,
        ended: None,
    };

    #[test]
    fn a_wait_ends_with_its_condition_or_when_that_cannot_come_any_more() {
        use Condition::{Completed, Healthy, Started};
        let started = Standing {
            started: true,
            ..NEW
        };
        let ready = Standing {
            ready: true,
            ..started
        };
        let unhealthy = Standing {
            unhealthy: true,
            ..started
        };
        let ended = |well| Standing {
            ended: Some(well),
            ..started
        };
        let in_vain = |wait| matches!(wait, Wait::InVain(_));
        for (condition, standing, over, vain) in [
            (Started, NEW, false, false),
            (Started, started, true, false),
            (Started, ended(true), true, false),
            (Healthy, started, false, false),
            (Healthy, ready, true, false),
            (Healthy, unhealthy, false, true),
            (Healthy, ended(true), false, true),
            // It was healthy once, which is all that was asked for.
            (
                Healthy,
                Standing {
                    unhealthy: true,
                    ..ready
                },
                true,
                false,
            ),
            (Completed, ready, false, false),
            (Completed, ended(true), true, false),
            // Its own failure is told, not that others waited for it.
            (Completed, ended(false), false, false),
            (Healthy, ended(false), false, false),
        ] {
            let stands = wait(condition, standing);
            assert_eq!(
                (stands == Wait::Over, in_vain(stands)),
                (over, vain),
                "{condition:?} {standing:?}"
            );
        }
    }

    #[test]
    fn a_workload_is_up_when_steps_have_ended_well_and_the_others_are_ready() {
        let ended = |well| Standing {
            ended: Some(well),
            ..NEW
        };
        let ready = Standing { ready: true, ..NEW };
        for (role, standing, expected) in [
            (Role::Init, ready, false),
            (Role::Init, ended(true), true),
            (Role::Init, ended(false), false),
            (Role::Main, NEW, false),
            (Role::Main, ready, true),
            (Role::Main, ended(true), true),
            (Role::Main, ended(false), false),
        ] {
            assert_eq!(is_up(role, standing), expected, "{role:?} {standing:?}");
        }
    }

    fn named(name: &str, needs: &[&str]) -> Service {
        let need = |name: &&str| Dependency {
            service: (*name).to_owned(),
            condition: Condition::Started,
        };
        Service {
            name: name.into(),
            depends_on: needs.iter().map(need).collect(),
            ..service()
        }
    }

    #[test]
    fn services_stop_in_the_reverse_of_their_dependencies() {
        let of = |services: &[Service]| -> Vec<u32> {
            turns(services)
                .unwrap()
                .iter()
                .map(|turn| turn.turn)
                .collect()
        };
        let chain = [
            named("db", &[]),
            named("cache", &[]),
            named("app", &["db", "cache"]),
            named("web", &["app"]),
            named("audit", &["db"]),
        ];
        assert_eq!(of(&chain), [2, 2, 1, 0, 0]);
        assert_eq!(of(&[named("a", &[]), named("b", &[])]), [0, 0]);
        assert!(of(&[]).is_empty());
        for wrong in [
            &[named("a", &["b"]), named("b", &[])][..],
            &[named("a", &["a"])],
            &[named("a", &["none"])],
        ] {
            assert_eq!(turns(wrong), Err("a".to_owned()));
        }
    }

    #[test]
    fn each_turn_to_stop_has_its_share_of_the_time() {
        let services = [named("db", &[]), named("app", &["db"])];
        let limit = Duration::from_secs(6);
        let turns = turns(&services).unwrap();
        let times = |turn: Turn| (turn.begins(limit).as_secs(), turn.ends(limit).as_secs());
        assert_eq!([times(turns[0]), times(turns[1])], [(3, 6), (0, 3)]);
    }
}
