//! `hpcr-image`: builds, inspects, seeds, runs and deploys the guest image.
//!
//! This file is the command line: it turns arguments into requests to the library, and results into words. Exit code
//! 0 means done, 1 that it could not be done or did not verify, 2 that the command line was wrong.

#![forbid(unsafe_code)]

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, Parser, Subcommand};
use hpcr_image::Error;
use hpcr_image::qemu::Forward;

use commands::deploy::Deploy;

/// Build, inspect, seed, run and deploy the guest image of the confidential container appliance.
#[derive(Parser)]
#[command(version, after_help = EXAMPLE)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

const EXAMPLE: &str = "\
A whole round:
  hpcr-image build --development --out image
  hpcr-image seed --user-data contract.yaml --out seed.iso
  truncate -s 1G data.img scratch.img
  hpcr-image run image --seed seed.iso --data data.img --scratch scratch.img --forward 8080:8080
  hpcr-image deploy libvirt image --name web --seed seed.iso --data data=data.img --scratch scratch.img

Exit codes: 0 done, 1 failed or not verified, 2 wrong command line.";

#[derive(Subcommand)]
enum Task {
    /// Build an image from Debian packages and hpcr-init, into a folder.
    Build(Build),
    /// Say what an image is, and check that its files are those that were built.
    Inspect {
        /// The image's folder.
        image: PathBuf,
    },
    /// Make the seed disk (an ISO image labelled `cidata`) from a contract.
    Seed(Seed),
    /// Boot an image in QEMU, with its console here. Ctrl-C ends it in order; a second one, at once.
    Run(Run),
    /// Print what runs an image elsewhere: a QEMU command line, a libvirt domain, or manifests for KubeVirt.
    #[command(subcommand)]
    Deploy(Deploy),
}

#[derive(Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(group = ArgGroup::new("kind").required(true))]
struct Build {
    /// Development image: its keys lie in the open, in the image and beside it, and it explains its errors.
    #[arg(long, group = "kind")]
    development: bool,
    /// Production image: refused, until there is a Secure Execution image to hide its key in.
    #[arg(long, group = "kind")]
    production: bool,
    /// The image's folder. Development keys that are in it are used again.
    #[arg(long, value_name = "DIR", alias = "output")]
    out: PathBuf,
    /// The Debian suite, by code name.
    #[arg(long, default_value = "trixie")]
    suite: String,
    /// The program for /init [default: hpcr-init beside this program].
    #[arg(long, value_name = "FILE")]
    init: Option<PathBuf>,
    /// Where fetched packages are kept.
    #[arg(long, value_name = "DIR", default_value = "target/packages")]
    cache: PathBuf,
    /// Fail unless the packages are exactly those of this lock file (packages.lock of an earlier build).
    #[arg(long, value_name = "FILE")]
    locked: Option<PathBuf>,
    /// Fetch the package lists afresh, and so newer packages.
    #[arg(long)]
    refresh: bool,
    /// Make new development keys.
    #[arg(long)]
    new_keys: bool,
}

#[derive(Args)]
struct Seed {
    /// The contract.
    #[arg(long, value_name = "FILE")]
    user_data: PathBuf,
    /// cloud-init meta-data.
    #[arg(long, value_name = "FILE")]
    meta_data: Option<PathBuf>,
    /// cloud-init vendor-data.
    #[arg(long, value_name = "FILE")]
    vendor_data: Option<PathBuf>,
    /// cloud-init network-config; without it the guest asks DHCP.
    #[arg(long, value_name = "FILE")]
    network_config: Option<PathBuf>,
    /// The ISO image to write.
    #[arg(long, value_name = "FILE", alias = "output")]
    out: PathBuf,
}

#[derive(Args)]
struct Run {
    /// The image's folder.
    image: PathBuf,
    /// The seed disk.
    #[arg(long, value_name = "ISO")]
    seed: PathBuf,
    /// A raw image for a data volume; may be repeated.
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// A raw image for container images, lost at every boot.
    #[arg(long, value_name = "FILE")]
    scratch: PathBuf,
    /// Memory in MiB.
    #[arg(long, default_value_t = 512)]
    memory: u32,
    /// Virtual processors.
    #[arg(long, default_value_t = 1)]
    cpus: u32,
    /// HOST:GUEST, a TCP port of 127.0.0.1 that leads to one of the guest; may be repeated.
    #[arg(long, value_name = "HOST:GUEST", value_parser = forward)]
    forward: Vec<Forward>,
}

pub(crate) fn forward(text: &str) -> Result<Forward, String> {
    let ports = text
        .split_once(':')
        .and_then(|(host, guest)| Some((host.parse().ok()?, guest.parse().ok()?)));
    let (host, guest) = ports.ok_or("expected two port numbers, as in 8080:80")?;
    Ok(Forward { host, guest })
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Build(arguments) => commands::build(arguments),
        Task::Inspect { image } => commands::inspect(&image),
        Task::Seed(arguments) => commands::seed(arguments),
        Task::Run(arguments) => commands::run::run(arguments),
        Task::Deploy(target) => commands::deploy::print(target),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hpcr-image: {error}");
            // What could not run was asked for on the command line.
            let asked_wrongly = matches!(error, Error::Deployment { .. });
            ExitCode::from(if asked_wrongly { 2 } else { 1 })
        }
    }
}
