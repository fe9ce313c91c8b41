//! Which accelerator the guests of a test program get: found out once, outside, and told to every namespace.
//!
//! The probe boots a kernel, which costs seconds where `/dev/kvm` is there and does not work.

use std::{env, process::Command, sync::OnceLock};

use hpcr_image::{manifest, qemu::Accelerator};

use crate::{Result, place};

const VARIABLE: &str = "HPCR_RIG_ACCELERATOR";
const NAMES: [(&str, Accelerator); 3] = [
    ("kvm", Accelerator::Kvm),
    ("tcg", Accelerator::Tcg { broken_cx16: false }),
    ("tcg-without-cx16", Accelerator::Tcg { broken_cx16: true }),
];

static FOUND: OnceLock<Accelerator> = OnceLock::new();

/// The accelerator that works here.
///
/// # Errors
/// Where QEMU does not start.
pub fn working() -> Result<Accelerator> {
    let told = env::var(VARIABLE).unwrap_or_default();
    if let Some((_, accelerator)) = NAMES.iter().find(|(name, _)| *name == told) {
        return Ok(*accelerator);
    }
    let found = Accelerator::probed(&place::image().join(manifest::KERNEL))?;
    Ok(*FOUND.get_or_init(|| found))
}

/// Tells the program that `command` starts, where it has been found out.
pub(crate) fn pass_on(command: &mut Command) {
    if let Some((name, _)) = FOUND
        .get()
        .and_then(|found| NAMES.iter().find(|(_, known)| known == found))
    {
        command.env(VARIABLE, name);
    }
}
