//! Phase 11: images pulled by digest, verified and unpacked, all of them at once.

use std::sync::Arc;

use hpcr_container::{Engine, Images, Paths, Progress, Shared};
use hpcr_contract::messages::Severity;

use crate::error::Error;
use crate::guest::Guest;
use crate::phases::contract::Contract;
use crate::phases::disk::{self, Disks};

/// Images that are ready to run, and what runs them.
#[derive(Debug)]
pub(crate) struct Ready {
    /// What starts services.
    pub(crate) engine: Engine,
    /// The images.
    pub(crate) images: Images,
}

pub(crate) async fn run(
    guest: &Arc<Guest>,
    contract: &Contract,
    disks: &Disks,
) -> Result<Ready, Error> {
    let engine = Engine::new(paths(guest, disks))?;
    let plan = &contract.plan;
    let progress = |progress: Progress| guest.console.keep(Severity::Info, &describe(&progress));
    let images = engine
        .pull(
            &plan.workload,
            &plan.registries,
            &plan.registry_authorities,
            progress,
        )
        .await?;
    guest
        .console
        .note(&format!("images verified and unpacked: {}", images.count()));
    Ok(Ready { engine, images })
}

fn paths(guest: &Guest, disks: &Disks) -> Paths {
    let volumes = disks.volumes.iter().map(|path| Shared {
        path: path.clone(),
        writable: true,
    });
    let record = Shared {
        path: guest.path("/var/hyperprotect"),
        writable: false,
    };
    Paths {
        store: disk::store(&disks.scratch),
        run: guest.path("/run/hpcr/containers"),
        crun: guest.path("/usr/bin/crun"),
        netavark: guest.path("/usr/lib/podman/netavark"),
        ca_bundle: guest.path("/etc/ssl/certs/ca-certificates.crt"),
        resolv_conf: guest.path("/etc/resolv.conf"),
        proc: guest.path("/proc"),
        cgroups: guest.path("/sys/fs/cgroup"),
        shared: volumes.chain([record]).collect(),
    }
}

fn describe(progress: &Progress) -> String {
    match progress {
        Progress::Resolved {
            image,
            layers,
            bytes,
        } => format!("image {image}: {layers} layers, {bytes} bytes"),
        Progress::Layer {
            diff_id,
            bytes,
            took,
        } => {
            format!("layer {diff_id}: {bytes} bytes in {} ms", took.as_millis())
        }
        other => format!("{other:?}"),
    }
}
