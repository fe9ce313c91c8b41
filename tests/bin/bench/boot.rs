//! How long a boot takes, from the start of QEMU to the first page, and how large the image is: beside the guest of
//! `rig::peer`, which does the same job.

use std::{fs, path::Path, time::Duration};

use hpcr_image::manifest;
use rig::{
    Error, Result,
    guest::{Appliance, Guest},
    namespace,
    peer::{self, Peer},
    place,
    report::Row,
    wait, workload,
    world::World,
};

const RUNS: usize = 5;
/// Fewer, since each takes minutes.
const PEER_RUNS: usize = 3;
const STARTED_WITHIN: Duration = Duration::from_mins(5);
const LINE_WITHIN: Duration = Duration::from_mins(1);
/// What the workload says when it starts.
const SERVING: &str = "web: serving on port";

/// One boot, measured: cases with their values, in order.
type Run = Vec<(String, f64)>;

/// Each run is a first boot: blank disks, an image to pull. The peer's are between ours, never beside them.
pub(crate) fn boot() -> Result<Vec<Row>> {
    let world = World::start(Path::new(namespace::SCRATCH), workload::image()?)?;
    let contract = world.draft().seal(&place::certificate())?.user_data();
    let mut peer = Peer::prepared();
    let (mut ours, mut peers): (Vec<Run>, Vec<Run>) = Default::default();
    for run in 0..RUNS {
        let folder = namespace::folder(&format!("run-{run}"))?;
        let guest = Appliance::new(&folder, Some(&contract))?.boot(|_| ())?;
        let whole = first_page(&guest, &world)?;
        ours.push(whole.into_iter().chain(parts(&guest)).collect());
        drop(guest);
        if let Some(other) = peer.as_ref().filter(|_| run < PEER_RUNS) {
            match peer_boot(other, run, &contract, &world) {
                Ok(measured) => peers.push(measured),
                // Some of its runs would be a choice of them.
                Err(error) => {
                    eprintln!("the peer is left out, since it failed: {error}");
                    peers.clear();
                    peer = None;
                }
            }
        }
    }
    let cases = ours.first().cloned().unwrap_or_default();
    let row = |(case, _): &(String, f64)| {
        Row::alone("boot", case, "ms", &values(&ours, case))
            .beside(peer::NAME, &values(&peers, case))
    };
    Ok(cases.iter().map(row).collect())
}

fn peer_boot(peer: &Peer, run: usize, contract: &str, world: &World) -> Result<Run> {
    let folder = namespace::folder(&format!("peer-run-{run}"))?;
    let guest = peer.guest(&folder, contract)?.boot(|_| ())?;
    first_page(&guest, world)
}

fn values(runs: &[Run], case: &str) -> Vec<f64> {
    let measured = runs.iter().flatten();
    measured
        .filter(|(of, _)| of == case)
        .map(|(_, value)| *value)
        .collect()
}

/// What this boot took until its page came. It counts only if the collector gets the workload's own line as well.
fn first_page(guest: &Guest, world: &World) -> Result<Run> {
    let told = || Ok::<_, Error>(world.collector.received()?.matches(SERVING).count());
    let before = told()?;
    guest.get("/", STARTED_WITHIN)?;
    let age = guest.age();
    wait::until("the workload's line at the collector", LINE_WITHIN, || {
        Ok((told()? > before).then_some(()))
    })?;
    Ok(vec![("first page".into(), milliseconds(age))])
}

/// What the appliance tells of its boot.
fn parts(guest: &Guest) -> impl Iterator<Item = (String, f64)> {
    let first = guest
        .first_line()
        .map(|at| ("first line".into(), milliseconds(at)));
    let phases = guest.timeline().into_iter();
    let phases = phases.map(|phase| (format!("phase {}", phase.name), milliseconds(phase.took)));
    first.into_iter().chain(phases)
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

/// How large the image is, as it is booted.
pub(crate) fn image() -> Result<Vec<Row>> {
    let size = |part: &str| {
        let bytes = fs::metadata(place::image().join(part))
            .map_err(Error::io(format!("measuring {part}")))?
            .len();
        Ok::<f64, Error>(mebibytes(bytes))
    };
    let (kernel, initramfs) = (size(manifest::KERNEL)?, size(manifest::INITRAMFS)?);
    let peer = match Peer::prepared() {
        Some(peer) => vec![kernel + mebibytes(peer.size()?)],
        None => Vec::new(),
    };
    let row = |case: &str, mib: f64| Row::alone("image", case, "MiB", &[mib]);
    Ok(vec![
        row("kernel", kernel),
        row("initramfs", initramfs),
        row("all that boots", kernel + initramfs).beside(peer::NAME, &peer),
    ])
}

// Sizes here are far below the 2^52 bytes that a float holds exactly.
#[allow(clippy::cast_precision_loss)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
