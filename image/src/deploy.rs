//! What is needed to run an image with a contract, as text for whoever runs it: a QEMU command line, a libvirt domain,
//! Kubernetes manifests for KubeVirt.
//!
//! Pure functions of plain data: nothing is started, asked or read here. What they give is whole, to be used as it is;
//! what could not run is refused with the option that asks for it.

pub mod kubevirt;
pub mod libvirt;
mod xml;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::qemu::{Accelerator, Machine, Tee};
use crate::{Error, Result};

/// The serial of the disk for images.
pub const SCRATCH_SERIAL: &str = "hpcr-scratch";
/// MiB; with less the guest itself stops, for want of room to unpack images.
pub const LEAST_MEMORY: u32 = 512;
/// The serial of the seed disk.
const SEED_SERIAL: &str = "cidata";
/// As much of a serial as virtio carries (virtio 1.2, section 5.2.6).
const MAX_SERIAL: usize = 20;
/// The longest DNS label (RFC 1035), and so the longest name of a Kubernetes service.
const MAX_NAME: usize = 63;

/// The QEMU command line of a machine, a word or option a line, quoted for a POSIX shell.
pub fn qemu(machine: &Machine, accelerator: Accelerator) -> Result<String> {
    check_machine(machine)?;
    if machine.tee.is_confidential() && accelerator != Accelerator::Kvm {
        return Err(refused(
            "--accelerator",
            "an emulated processor closes no memory to the host".to_owned(),
            "use kvm, or --tee none",
        ));
    }
    let mut text = machine.program();
    for word in machine.arguments(accelerator) {
        let quoted = quote(&word)?;
        // An option begins a line; what it is set to stays beside it.
        text.push_str(if quoted.starts_with('-') {
            " \\\n  "
        } else {
            " "
        });
        text.push_str(&quoted);
    }
    text.push('\n');
    Ok(text)
}

/// A word that a POSIX shell reads as this text.
fn quote(word: &OsStr) -> Result<String> {
    let word = text(word)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Ok(word.to_owned());
    }
    Ok(format!("'{}'", word.replace('\'', r"'\''")))
}

/// Text without control characters, which none of the three can hold.
fn text(word: &OsStr) -> Result<&str> {
    word.to_str()
        .filter(|text| !text.chars().any(char::is_control))
        .ok_or_else(|| {
            refused(
                "a path",
                format!("{} is not plain text", word.display()),
                "rename the file",
            )
        })
}

fn absolute(path: &Path) -> Result<&str> {
    if path.is_absolute() {
        return text(path.as_os_str());
    }
    Err(refused(
        "a path",
        format!("{} is relative", path.display()),
        "give it from the root on: libvirt has no current folder",
    ))
}

/// As much memory as the guest needs to begin, and a processor.
fn check_size(memory: u32, cpus: u32) -> Result<()> {
    if memory < LEAST_MEMORY {
        return Err(refused(
            "--memory",
            format!("{memory} MiB are too little for the guest to begin"),
            "give it 512 MiB or more",
        ));
    }
    if cpus == 0 {
        return Err(refused(
            "--cpus",
            "no guest runs without a processor".to_owned(),
            "give it one or more",
        ));
    }
    Ok(())
}

/// What every platform with disks in files asks for.
fn check_machine(machine: &Machine) -> Result<()> {
    check_size(machine.memory, machine.cpus)?;
    check_platform(machine)?;
    check_serials(machine.disks.iter().map(|disk| disk.serial.as_str()))?;
    let mut seen: Vec<&Path> = machine.seed.iter().map(PathBuf::as_path).collect();
    for disk in &machine.disks {
        if seen.contains(&disk.path.as_path()) {
            return Err(refused(
                "--data",
                format!("{} is there for two disks", disk.path.display()),
                "give each disk a file of its own",
            ));
        }
        seen.push(&disk.path);
    }
    Ok(())
}

/// Firmware and kernel are those that the platform starts with.
fn check_platform(machine: &Machine) -> Result<()> {
    let has_initramfs = machine.initramfs.is_some();
    match machine.tee {
        Tee::Se if has_initramfs => Err(refused(
            "--tee se",
            "this image is a kernel beside an initramfs for x86_64".to_owned(),
            "give a Secure Execution image, one file for s390x with both inside",
        )),
        tee if tee != Tee::Se && !has_initramfs => Err(refused(
            "--tee",
            "a Secure Execution image runs under Secure Execution alone".to_owned(),
            "give --tee se",
        )),
        tee if tee.needs_firmware() && machine.firmware.is_none() => Err(refused(
            "--firmware",
            "this platform measures the firmware that the guest starts in".to_owned(),
            "name an OVMF image that is made for it",
        )),
        tee if !tee.needs_firmware() && machine.firmware.is_some() => Err(refused(
            "--firmware",
            "this platform starts the kernel without one".to_owned(),
            "leave the option out",
        )),
        _ => Ok(()),
    }
}

/// Serials are how the guest knows its disks: each one is there once, and none is cut.
pub fn check_serials<'a>(serials: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = vec![SEED_SERIAL];
    for serial in serials {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let cause = if serial.len() > MAX_SERIAL {
            format!(
                "the serial {serial} is longer than the {MAX_SERIAL} bytes that a virtio disk carries"
            )
        } else if serial.is_empty() || !serial.bytes().all(plain) {
            "a serial is letters, digits, `-`, `_` and `.`".to_owned()
        } else if seen.contains(&serial) {
            format!("the serial {serial} is there twice, or is the seed disk's")
        } else {
            seen.push(serial);
            continue;
        };
        return Err(refused(
            "--data",
            cause,
            "give each disk the volume's key in the contract, or a short `volumeID` that is written there",
        ));
    }
    Ok(())
}

/// A name that libvirt and Kubernetes both take.
pub fn check_name(name: &str) -> Result<()> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = name.len() <= MAX_NAME
        && name.bytes().all(|byte| letter(byte) || byte == b'-')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-');
    if good {
        return Ok(());
    }
    Err(refused(
        "--name",
        format!("`{}` cannot be a guest's name", name.escape_debug()),
        "use lower-case letters, digits and `-`, 63 at most, a letter first",
    ))
}

fn refused(option: &'static str, cause: String, remedy: &'static str) -> Error {
    Error::Deployment {
        option,
        cause,
        remedy,
    }
}

#[cfg(test)]
mod tests;
