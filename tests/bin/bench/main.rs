//! `make bench`: what is measured, by name; the rows of each benchmark go into `target/bench`.

#![forbid(unsafe_code)]

mod boot;
mod contract;
mod sections;
mod terraform;

use std::process::ExitCode;

use rig::{
    Result, namespace, peer, place,
    report::{self, Row},
};

/// A benchmark by the name that `--only` takes.
type Bench = (&'static str, fn() -> Result<Vec<Row>>);

const BENCHES: [Bench; 4] = [
    ("boot", boot::boot),
    ("image", boot::image),
    ("contract", contract::rows),
    ("terraform", terraform::rows),
];
/// Those that are measured beside another guest.
const HAVE_A_PEER: [&str; 2] = ["boot", "image"];

fn main() -> ExitCode {
    let told = match chosen() {
        Ok(benches) => namespace::run(|| prepare(&benches), || outcome(measure(&benches))),
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

/// Sees to the rig and, where a chosen benchmark has one, to its peer. Without the peer our numbers stand alone.
fn prepare(benches: &[Bench]) -> Result<()> {
    rig::prepare()?;
    if benches.iter().any(|bench| HAVE_A_PEER.contains(&bench.0))
        && let Err(error) = peer::prepare(|line| println!("{line}"))
    {
        eprintln!("no peer to compare with: {error}");
    }
    Ok(())
}
