//! A workload that runs: whether it is up, how it ends, and its stop.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hpcr_contract::plan::Role;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::ContainerError;
use crate::firewall;
use crate::group::Group;
use crate::life::Life;
use crate::order::{self, Standing};
use crate::service::{End, Exit, LAST_LINES};
use crate::setup::Setup;
use crate::stopping::Request;

/// How the workload came to its end.
#[derive(Debug)]
pub enum Outcome {
    /// All services have done what they had to.
    Done,
    /// A service failed for good; the others may still run.
    Failed(ContainerError),
}

/// Services that run, or wait for others to do so.
pub struct Running {
    services: JoinSet<(String, Result<End, ContainerError>)>,
    pub(crate) watched: Vec<Watched>,
    setups: Vec<Arc<Setup>>,
    groups: Vec<Arc<Group>>,
    stop: watch::Sender<Option<Request>>,
}

pub(crate) struct Watched {
    pub name: String,
    role: Role,
    pub standing: watch::Receiver<Standing>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}

/// What a stop may take over its limit before services are no longer waited for.
const OVERTIME: Duration = Duration::from_millis(500);

impl Running {
    /// Lets these live; they are all asked to end by `stop`.
    pub(crate) fn new(
        lives: Vec<Life>,
        groups: Vec<Arc<Group>>,
        stop: watch::Sender<Option<Request>>,
    ) -> Self {
        let watched = |life: &Life| Watched {
            name: life.service.name.clone(),
            role: life.service.role,
            standing: life.standing.subscribe(),
        };
        let watched = lives.iter().map(watched).collect();
        let setups = lives.iter().map(|life| Arc::clone(&life.setup)).collect();
        let mut services = JoinSet::new();
        for life in lives {
            let name = life.service.name.clone();
            services.spawn(async move { (name, life.live().await) });
        }
        Self {
            services,
            watched,
            setups,
            groups,
            stop,
        }
    }

    /// Waits until the workload is up: every step has ended well, every other service has been executed and has passed
    /// each of its startup and readiness checks once, or has ended well. A service that fails for good before that is the
    /// error, and so is one that needs more than `limit`. May be dropped and called again.
    pub async fn ready(&mut self, limit: Duration) -> Result<(), ContainerError> {
        let mut watched: Vec<_> = self
            .watched
            .iter()
            .map(|one| (one.role, one.standing.clone()))
            .collect();
        let up = join_all(watched.iter_mut().map(async |(role, standing)| {
            let up = standing.wait_for(|standing| order::is_up(*role, *standing));
            if up.await.is_err() {
                // Its task is gone, which the other branch hears of.
                std::future::pending::<()>().await;
            }
        }));
        let failed = async {
            match self.wait().await {
                Outcome::Failed(error) => error,
                Outcome::Done => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = up => return Ok(()),
            error = failed => return Err(error),
            () = tokio::time::sleep(limit) => {}
        }
        Err(self.late(limit))
    }

    /// The first that is not up: it comes before those that wait for it.
    fn late(&self, limit: Duration) -> ContainerError {
        let is_late = |one: &&Watched| !order::is_up(one.role, *one.standing.borrow());
        let (service, missing) = match self.watched.iter().find(is_late) {
            Some(one) if one.role == Role::Init => (&*one.name, "it has not ended"),
            Some(one) if one.standing.borrow().started => {
                (&*one.name, "its health checks have not passed")
            }
            Some(one) => (&*one.name, "it has not started"),
            None => ("all", "they are not ready"),
        };
        ContainerError::Service {
            service: service.into(),
            act: "starting it",
            cause: format!("{missing} within {} s", limit.as_secs()),
        }
    }

    /// Waits until all services have ended well or one has failed for good. May be dropped and called again.
    pub async fn wait(&mut self) -> Outcome {
        while let Some(ended) = self.services.join_next().await {
            let (service, act, cause) = match ended {
                Ok((_, Ok(End::Done))) => continue,
                Ok((_, Err(error))) => return Outcome::Failed(error),
                Ok((service, Ok(End::Failed(exit)))) => (service, "running it", told(&exit)),
                Err(error) => ("unknown".into(), "watching it", error.to_string()),
            };
            return Outcome::Failed(ContainerError::Service {
                service,
                act,
                cause,
            });
        }
        Outcome::Done
    }

    /// Stops all services, those first that nobody needs, each within its own grace and all within `limit`, and takes
    /// down their network and mounts. Goes on after a fault and gives all of them back.
    pub async fn stop(mut self, limit: Duration) -> Vec<ContainerError> {
        let request = Request {
            begun: Instant::now(),
            limit: limit.saturating_sub(LAST_LINES),
        };
        self.stop.send_replace(Some(request));
        let mut faults = Vec::new();
        let ends = async {
            while let Some(ended) = self.services.join_next().await {
                if let Ok((_, Err(error))) = ended {
                    faults.push(error);
                }
            }
        };
        // Whatever a service waits for, what it stands on is taken down; that kills its container, too.
        if tokio::time::timeout(limit + OVERTIME, ends).await.is_err() {
            self.services.shutdown().await;
            faults.push(ContainerError::Service {
                service: "all".into(),
                act: "stopping them",
                cause: format!("they did not all end within {limit:?}"),
            });
        }
        for setup in self.setups.iter().rev() {
            faults.extend(setup.take_down().await);
        }
        for group in self.groups.iter().rev() {
            faults.extend(group.take_down().await);
        }
        faults.extend(firewall::remove().await.err());
        faults
    }
}

fn told(exit: &Exit) -> String {
    format!("{exit}; its own log lines say why")
}
