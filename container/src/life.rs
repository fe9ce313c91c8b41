//! One service from its wait for others to its end: waits, sets up, runs, and tells the others how far it has come.

use std::net::Ipv4Addr;
use std::sync::Arc;

use futures_util::future::try_join_all;
use hpcr_contract::plan::{Condition, Service};
use tokio::sync::{mpsc, watch};

use crate::error::ContainerError;
use crate::group::Group;
use crate::image::Image;
use crate::lines::Line;
use crate::order::{self, Standing, Wait};
use crate::probe::Prober;
use crate::service::End;
use crate::setup::Setup;
use crate::stopping::Stopping;

/// Everything that a service lives on.
pub(crate) struct Life {
    pub service: Service,
    pub image: Image,
    pub setup: Arc<Setup>,
    pub group: Arc<Group>,
    /// Name and address of every service.
    pub names: Arc<[(String, Ipv4Addr)]>,
    /// What it waits for.
    pub needs: Vec<Need>,
    pub lines: mpsc::Sender<Line>,
    pub stopping: Stopping,
    pub standing: watch::Sender<Standing>,
}

/// Another service, and what has to have happened to it.
pub(crate) struct Need {
    pub service: String,
    pub condition: Condition,
    pub standing: watch::Receiver<Standing>,
}

impl Life {
    /// Lives it.
    pub(crate) async fn live(mut self) -> Result<End, ContainerError> {
        let end = self.run().await;
        let well = matches!(end, Ok(End::Done));
        self.standing.send_modify(|own| own.ended = Some(well));
        end
    }

    async fn run(&mut self) -> Result<End, ContainerError> {
        let made = async {
            try_join_all(self.needs.iter_mut().map(Need::wait))
                .await
                .map_err(|cause| self.setup.fault("waiting for others", cause))?;
            let made = self
                .setup
                .make(&self.service, &self.image, &self.group, &self.names);
            made.await
        };
        let container = tokio::select! {
            // What ends in good order must not start those that waited for its end.
            biased;
            () = self.stopping.asked() => return Ok(End::Done),
            made = made => made?,
        };
        let checks = &self.service.health;
        let prober = Prober::new(&container, self.group.address, checks)
            .map_err(|cause| self.setup.fault("preparing its health checks", cause))?;
        container
            .supervise(
                &self.lines,
                (checks, &prober),
                &self.standing,
                &mut self.stopping,
            )
            .await
    }
}

impl Need {
    /// Waits for it; the error says why that is in vain.
    async fn wait(&mut self) -> Result<(), String> {
        let condition = self.condition;
        let settled = self
            .standing
            .wait_for(|of| order::wait(condition, *of) != Wait::GoesOn)
            .await
            .map(|of| order::wait(condition, *of));
        match settled {
            Ok(Wait::InVain(why)) => {
                let wanted = match condition {
                    Condition::Started => "to start",
                    Condition::Healthy => "to be healthy",
                    Condition::Completed => "to end well",
                };
                Err(format!(
                    "it needs {} {wanted}, but {why}; the collector has the cause",
                    self.service
                ))
            }
            Ok(_) => Ok(()),
            // It went without a word; whoever watches over all of them hears of it.
            Err(_) => std::future::pending().await,
        }
    }
}
