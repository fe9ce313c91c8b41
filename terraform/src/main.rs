//! `terraform-provider-hpcr`: contracts and deployments as code.
//!
//! Terraform starts this program and speaks the plugin protocol with it (`plugin`); what it offers is one table
//! (`catalogue`), one file a resource, data source or function. Contracts are judged, sealed and signed by
//! `hpcr-contract`, the code that the guest runs.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;

mod attestation;
mod catalogue;
mod context;
mod data_source;
mod data_sources;
mod dates;
mod diagnostic;
mod files;
mod findings;
mod folder;
mod function;
mod functions;
mod memo;
mod plugin;
mod protocol;
mod provider;
mod resource;
mod resources;
mod schema;
mod sealing;
mod signing;
mod twin;
mod value;
mod versions;

const ABOUT: &str = concat!(
    "terraform-provider-hpcr ",
    env!("CARGO_PKG_VERSION"),
    "

The Terraform provider for confidential containers: contracts sealed, signed and checked
by the code that the guest runs.

Terraform starts this program itself; it does nothing on its own. Put it where Terraform
looks for providers (a file system mirror, or a development override in the CLI
configuration), and name it in a configuration:

    terraform {
      required_providers {
        hpcr = { source = \"local/hpcr/hpcr\" }
      }
    }

docs/terraform.md says how, and what there is.
"
);

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("--help" | "-h") => {
            print!("{ABOUT}");
            return ExitCode::SUCCESS;
        }
        Some("--version" | "-V") => {
            println!("terraform-provider-hpcr {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if !plugin::is_expected() {
        eprint!("{ABOUT}");
        return ExitCode::from(2);
    }
    // One thread for what comes and goes; the work is done on others.
    let served = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(plugin::PluginError::from)
        .and_then(|runtime| runtime.block_on(plugin::serve(provider::Provider::default())));
    signing::forget_keys();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("terraform-provider-hpcr: {error}");
            ExitCode::from(2)
        }
    }
}
