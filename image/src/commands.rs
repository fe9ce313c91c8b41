//! What each command does with its arguments, and the words in which it tells the outcome.

pub(crate) mod deploy;
pub(crate) mod run;

use std::path::Path;
use std::process::ExitCode;

use hpcr_contract::image_config::ImageKind;
use hpcr_image::assemble::{self, Request};
use hpcr_image::manifest::{self, Manifest};
use hpcr_image::{Error, Result, seed};

use crate::{Build, Seed};

pub(crate) fn build(arguments: Build) -> Result<ExitCode> {
    let init = match arguments.init {
        Some(path) => path,
        None => beside_this_program("hpcr-init")?,
    };
    let request = Request {
        output: arguments.out,
        kind: if arguments.production {
            ImageKind::Production
        } else {
            ImageKind::Development
        },
        suite: arguments.suite,
        init,
        cache: arguments.cache,
        locked: arguments.locked,
        refresh: arguments.refresh,
        new_keys: arguments.new_keys,
        built: source_date_epoch()?,
    };
    let manifest = assemble::build(&request, |line| eprintln!("hpcr-image: {line}"))?;
    print_summary(&request.output, &manifest);
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn inspect(image: &Path) -> Result<ExitCode> {
    let manifest = Manifest::read(image)?;
    print_summary(image, &manifest);
    println!(
        "built       {} seconds after 1970-01-01, from Debian {}",
        manifest.built, manifest.suite
    );
    println!("base image  {}", manifest.base_image);
    println!(
        "kernel      {} with `{}`",
        manifest.kernel_release, manifest.command_line
    );
    println!("packages    {}", manifest.packages.len());
    for package in &manifest.packages {
        println!("            {} {}", package.name, package.version);
    }
    println!(
        "files       {} in the initramfs; image.json lists them",
        manifest.files.len()
    );
    manifest.verify(image)?;
    println!("verified    every part is as it was built");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn seed(arguments: Seed) -> Result<ExitCode> {
    let seed = seed::Seed {
        user_data: arguments.user_data,
        meta_data: arguments.meta_data,
        vendor_data: arguments.vendor_data,
        network_config: arguments.network_config,
    };
    seed.write(&arguments.out)?;
    Ok(ExitCode::SUCCESS)
}

fn print_summary(image: &Path, manifest: &Manifest) {
    if manifest.kind == ImageKind::Development {
        println!(
            "DEVELOPMENT IMAGE: its keys lie in the open. It protects nothing; use it to learn and to test."
        );
    }
    println!(
        "image       {} {} for {}",
        image.display(),
        manifest.version,
        manifest.architecture
    );
    for (name, part) in &manifest.parts {
        println!("{name:<15} {:>10} bytes  sha256:{}", part.size, part.sha256);
    }
    let boot: u64 = [manifest::KERNEL, manifest::INITRAMFS]
        .iter()
        .filter_map(|name| Some(manifest.parts.get(*name)?.size))
        .sum();
    println!("kernel and initramfs together {:.1} MiB", mebibytes(boot));
}

#[allow(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn beside_this_program(name: &str) -> Result<std::path::PathBuf> {
    let this = std::env::current_exe().map_err(|source| Error::Io {
        action: "find this program itself",
        path: "/proc/self/exe".into(),
        source,
    })?;
    Ok(this.with_file_name(name))
}

/// <https://reproducible-builds.org/specs/source-date-epoch/>
fn source_date_epoch() -> Result<Option<i64>> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => Ok(None),
        Ok(text) => text.parse().map(Some).map_err(|_| Error::SourceDateEpoch),
    }
}
