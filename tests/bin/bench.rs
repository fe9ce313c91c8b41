//! `make bench`: how long a boot takes and how large an image is, as medians, into `target/bench`.

#![forbid(unsafe_code)]

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode, time::Duration};

use hpcr_image::manifest;
use rig::{
    Error, Result,
    guest::Appliance,
    namespace, place,
    report::{self, Row},
    workload,
    world::World,
};

const RUNS: usize = 5;
const STARTED_WITHIN: Duration = Duration::from_mins(2);

/// A benchmark by the name that `--only` takes.
type Bench = (&'static str, fn() -> Result<Vec<Row>>);

const BENCHES: [Bench; 2] = [("boot", boot), ("image", image)];

fn main() -> ExitCode {
    let told = match chosen() {
        Ok(benches) => namespace::run(rig::prepare, || outcome(measure(&benches))),
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    told.unwrap_or_else(|error| outcome(Err(error)))
}

/// All benchmarks, or the one that `--only NAME` names.
fn chosen() -> std::result::Result<Vec<Bench>, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names = BENCHES.map(|(name, _)| name).join(", ");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(BENCHES.to_vec()),
        ["--only", only] => match BENCHES.iter().find(|(name, _)| *name == only) {
            Some(bench) => Ok(vec![*bench]),
            None => Err(format!("no benchmark `{only}`; there are: {names}")),
        },
        _ => Err(format!(
            "usage: hpcr-bench [--only NAME], NAME one of {names}"
        )),
    }
}

fn outcome(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(benches: &[Bench]) -> Result<()> {
    let folder = place::target().join("bench");
    for (name, bench) in benches {
        println!("measuring {name}");
        let rows = bench()?;
        report::write(&folder, &rows)?;
        print!("{}", report::markdown(&rows));
    }
    println!("written to {}", folder.display());
    Ok(())
}

/// Each run is a first boot: blank disks, an image to pull.
fn boot() -> Result<Vec<Row>> {
    let world = World::start(Path::new(namespace::SCRATCH), workload::image()?)?;
    let contract = world.draft().seal(&place::certificate())?.user_data();
    let mut cases: BTreeMap<(usize, String), Vec<f64>> = BTreeMap::new();
    for run in 0..RUNS {
        let appliance =
            Appliance::new(&namespace::folder(&format!("run-{run}"))?, Some(&contract))?;
        let guest = appliance.boot(|_| ())?;
        guest.get("/", STARTED_WITHIN)?;
        let first_page = guest.age();
        let phases = guest
            .timeline()
            .into_iter()
            .map(|phase| (format!("phase {}", phase.name), phase.took));
        let marks = [
            ("first page", Some(first_page)),
            ("first line", guest.first_line()),
        ];
        let marks = marks
            .into_iter()
            .filter_map(|(case, at)| Some((case.to_owned(), at?)));
        for (order, (case, took)) in marks.chain(phases).enumerate() {
            cases
                .entry((order, case))
                .or_default()
                .push(took.as_secs_f64() * 1000.0);
        }
    }
    Ok(cases
        .iter()
        .map(|((_, case), values)| Row::alone("boot", case, "ms", values))
        .collect())
}

fn image() -> Result<Vec<Row>> {
    let size = |part: &str| {
        let bytes = fs::metadata(place::image().join(part))
            .map_err(Error::io(format!("measuring {part}")))?
            .len();
        // Sizes of images are far below the 2^52 bytes that a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        Ok::<f64, Error>(bytes as f64 / f64::from(1 << 20))
    };
    let (kernel, initramfs) = (size(manifest::KERNEL)?, size(manifest::INITRAMFS)?);
    let cases = [
        ("kernel", kernel),
        ("initramfs", initramfs),
        ("kernel and initramfs", kernel + initramfs),
    ];
    Ok(cases
        .map(|(case, mib)| Row::alone("image", case, "MiB", &[mib]))
        .into())
}
