//! `hpcr-image deploy`: arguments become a machine or a KubeVirt deployment, and that becomes text on standard output.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use hpcr_image::deploy::{self, kubevirt, libvirt};
use hpcr_image::manifest::Manifest;
use hpcr_image::qemu::{Accelerator, Disk, Forward, Machine, Network, Tee};
use hpcr_image::{Error, Result};

use crate::forward;

#[derive(Subcommand)]
pub(crate) enum Deploy {
    /// A QEMU command line for a POSIX shell.
    Qemu(Qemu),
    /// A libvirt domain in XML, for `virsh define`.
    Libvirt(Libvirt),
    /// Secret, claims, VirtualMachine and Service in YAML, for `kubectl apply`.
    Kubevirt(Kubevirt),
}

#[derive(Args)]
struct Hardware {
    /// The image's folder; for Secure Execution, the image file.
    image: PathBuf,
    /// What keeps the host out of the guest's memory.
    #[arg(long, value_enum, default_value_t = Tee::None)]
    tee: Tee,
    /// Memory in MiB.
    #[arg(long, default_value_t = 2048)]
    memory: u32,
    /// Virtual processors.
    #[arg(long, default_value_t = 1)]
    cpus: u32,
}

#[derive(Args)]
struct Storage {
    /// The seed disk.
    #[arg(long, value_name = "ISO")]
    seed: PathBuf,
    /// A raw image or block device for the volume of this key or `volumeID`; may be repeated.
    #[arg(long, value_name = "VOLUME=FILE", value_parser = named)]
    data: Vec<(String, String)>,
    /// A raw image for container images, lost at every boot; without one they stay in memory.
    #[arg(long, value_name = "FILE")]
    scratch: Option<PathBuf>,
    /// The OVMF image that a guest of SEV-SNP, SEV or TDX starts in.
    #[arg(long, value_name = "FILE")]
    firmware: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Qemu {
    #[command(flatten)]
    hardware: Hardware,
    #[command(flatten)]
    storage: Storage,
    /// HOST:GUEST, a TCP port of 127.0.0.1 that leads to one of the guest; may be repeated.
    #[arg(long, value_name = "HOST:GUEST", value_parser = forward)]
    forward: Vec<Forward>,
    /// How the guest's processor comes about on the host that will run it.
    #[arg(long, value_enum, default_value_t = Processor::Kvm)]
    accelerator: Processor,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Processor {
    /// The host's own.
    Kvm,
    /// Emulation, without a TEE.
    Tcg,
}

#[derive(Args)]
pub(crate) struct Libvirt {
    #[command(flatten)]
    hardware: Hardware,
    #[command(flatten)]
    storage: Storage,
    /// The domain's name.
    #[arg(long)]
    name: String,
    /// The network of libvirt's that the guest is on.
    #[arg(long, default_value = "default")]
    network: String,
}

#[derive(Args)]
pub(crate) struct Kubevirt {
    #[command(flatten)]
    hardware: Hardware,
    /// The VirtualMachine's name.
    #[arg(long)]
    name: String,
    /// The container image with the kernel at /boot/vmlinuz and the first file system at /boot/initramfs.
    #[arg(long, value_name = "REFERENCE")]
    container: String,
    /// The contract.
    #[arg(long, value_name = "FILE")]
    user_data: PathBuf,
    /// cloud-init network-config; without it the guest asks DHCP.
    #[arg(long, value_name = "FILE")]
    network_config: Option<PathBuf>,
    /// A persistent claim of this size for the volume of this key or `volumeID`; may be repeated.
    #[arg(long, value_name = "VOLUME=SIZE", value_parser = named)]
    data: Vec<(String, String)>,
    /// Size of the disk for container images, lost at every boot; without one they stay in memory.
    #[arg(long, value_name = "SIZE")]
    scratch: Option<String>,
    /// The storage class of the claims, in place of the cluster's default.
    #[arg(long, value_name = "NAME")]
    storage_class: Option<String>,
    /// A TCP port of the guest that a Service leads to; may be repeated.
    #[arg(long, value_name = "PORT")]
    publish: Vec<u16>,
}

fn named(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or("expected the volume, `=`, and what it is on")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) fn print(target: Deploy) -> Result<ExitCode> {
    let text = match target {
        Deploy::Qemu(arguments) => qemu(arguments),
        Deploy::Libvirt(arguments) => {
            let machine = machine(&arguments.hardware, arguments.storage)?;
            libvirt::domain(&arguments.name, &machine, Some(&arguments.network))
        }
        Deploy::Kubevirt(arguments) => kubevirt(arguments)?.to_yaml(),
    }?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn qemu(arguments: Qemu) -> Result<String> {
    let mut machine = machine(&arguments.hardware, arguments.storage)?;
    machine.network = Network::User(arguments.forward);
    let accelerator = match arguments.accelerator {
        Processor::Kvm => Accelerator::Kvm,
        // Which QEMU will run it is not known here: what old ones get wrong is hidden.
        Processor::Tcg => Accelerator::Tcg { broken_cx16: true },
    };
    deploy::qemu(&machine, accelerator)
}

/// Every path from the root on: what is printed is used in another folder.
fn machine(hardware: &Hardware, storage: Storage) -> Result<Machine> {
    let image = absolute(&hardware.image)?;
    let mut machine = match hardware.tee {
        Tee::Se => Machine::of_secure_execution_image(&image)?,
        _ => Machine::of_image(&image)?,
    };
    machine.tee = hardware.tee;
    machine.memory = hardware.memory;
    machine.cpus = hardware.cpus;
    machine.firmware = storage.firmware.as_deref().map(absolute).transpose()?;
    machine.seed = Some(absolute(&storage.seed)?);
    for (serial, path) in storage.data {
        machine
            .disks
            .push(Disk::new(absolute(Path::new(&path))?, serial));
    }
    if let Some(path) = storage.scratch {
        machine.disks.push(Disk::scratch(absolute(&path)?));
    }
    Ok(machine)
}

fn kubevirt(arguments: Kubevirt) -> Result<kubevirt::Deployment> {
    let hardware = arguments.hardware;
    let command_line = match hardware.tee {
        Tee::Se => Machine::of_secure_execution_image(&hardware.image)?.command_line,
        _ => Manifest::read(&hardware.image)?.command_line,
    };
    let volume = |(serial, size)| kubevirt::Volume { serial, size };
    Ok(kubevirt::Deployment {
        name: arguments.name,
        container: arguments.container,
        command_line,
        memory: hardware.memory,
        cpus: hardware.cpus,
        tee: hardware.tee,
        user_data: read(&arguments.user_data)?,
        network_config: arguments.network_config.as_deref().map(read).transpose()?,
        volumes: arguments.data.into_iter().map(volume).collect(),
        scratch: arguments.scratch,
        storage_class: arguments.storage_class,
        ports: arguments.publish,
    })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| Error::Io {
        action: "find",
        path: path.to_path_buf(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Io {
        action: "read",
        path: path.to_path_buf(),
        source,
    })
}
