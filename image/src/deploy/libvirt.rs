//! A libvirt domain: the [`Machine`] as `virsh define` takes it.
//!
//! For a confidential guest every virtio device goes through shared memory (`iommu`), and there is no balloon, no
//! passed-through device and no huge page. The seed is a disk like the others, read-only.

use super::xml::{Element, element};
use super::{absolute, check_machine, check_name, text};
use crate::qemu::{Disk, Machine, Network, Tee};
use crate::{Result, deploy};

/// Disks are `vda` to `vdz`.
const LETTERS: usize = 26;

/// The domain `name`; with `network`, its card is on that network of libvirt's.
///
/// Console, forwards and control socket are libvirt's own affair and are not taken over from the machine.
pub fn domain(name: &str, machine: &Machine, network: Option<&str>) -> Result<String> {
    check_name(name)?;
    check_machine(machine)?;
    if machine.network != Network::None {
        return Err(deploy::refused(
            "--forward",
            "libvirt's networks forward no ports".to_owned(),
            "leave it out, and reach the guest by its address",
        ));
    }
    let mut domain = element("domain")
        .with("type", "kvm")
        .child(element("name").text(name))
        .child(
            element("memory")
                .with("unit", "MiB")
                .text(machine.memory.to_string()),
        )
        .child(element("vcpu").text(machine.cpus.to_string()));
    if machine.tee == Tee::Snp {
        // Pages that are private to the guest cannot come from anonymous memory.
        domain = domain.child(
            element("memoryBacking")
                .child(element("source").with("type", "memfd"))
                .child(element("access").with("mode", "shared")),
        );
    }
    domain = domain.child(os(machine)?);
    if machine.tee != Tee::Se {
        // Without ACPI the guest has no power button.
        domain = domain.child(features(machine.tee));
    }
    domain = domain
        .child(element("cpu").with("mode", "host-passthrough"))
        .child(element("clock").with("offset", "utc"));
    // The appliance never restarts: whatever it ends with, the machine is off.
    for event in ["on_poweroff", "on_reboot", "on_crash"] {
        domain = domain.child(element(event).text("destroy"));
    }
    let domain = domain
        .child(devices(machine, network)?)
        .children(launch_security(machine.tee));
    Ok(domain.document())
}

fn os(machine: &Machine) -> Result<Element> {
    let mut os = element("os").child(
        element("type")
            .with("arch", machine.tee.architecture())
            .with("machine", machine.tee.machine())
            .text("hvm"),
    );
    if let Some(firmware) = &machine.firmware {
        os = os.child(
            element("loader")
                .with("readonly", "yes")
                .with("type", "rom")
                .text(absolute(firmware)?),
        );
    }
    os = os.child(element("kernel").text(absolute(&machine.kernel)?));
    if let Some(initramfs) = &machine.initramfs {
        os = os.child(element("initrd").text(absolute(initramfs)?));
    }
    if !machine.command_line.is_empty() {
        os = os.child(element("cmdline").text(text(machine.command_line.as_ref())?));
    }
    Ok(os)
}

fn features(tee: Tee) -> Element {
    let features = element("features").child(element("acpi"));
    match tee {
        Tee::Tdx => features.child(element("ioapic").with("driver", "qemu")),
        _ => features,
    }
}

fn devices(machine: &Machine, network: Option<&str>) -> Result<Element> {
    let mut devices = element("devices");
    if machine.tee != Tee::Se {
        devices = devices.child(
            element("controller")
                .with("type", "usb")
                .with("model", "none"),
        );
    }
    let seed = machine.seed.iter().map(|path| Disk {
        path: path.clone(),
        serial: deploy::SEED_SERIAL.to_owned(),
        read_only: true,
    });
    let disks: Vec<_> = seed.chain(machine.disks.iter().cloned()).collect();
    if disks.len() > LETTERS {
        return Err(deploy::refused(
            "--data",
            format!(
                "{} disks are more than the {LETTERS} that get a name",
                disks.len()
            ),
            "leave some out",
        ));
    }
    for (disk, letter) in disks.iter().zip('a'..='z') {
        devices = devices.child(storage(disk, letter, machine.tee)?);
    }
    if let Some(network) = network {
        let card = element("interface")
            .with("type", "network")
            .child(element("source").with("network", text(network.as_ref())?))
            .child(element("model").with("type", "virtio"))
            .children(shared(machine.tee));
        devices = devices.child(card);
    }
    let console = if machine.tee == Tee::Se {
        "sclp"
    } else {
        "serial"
    };
    Ok(devices
        .child(
            element("console")
                .with("type", "pty")
                .child(element("target").with("type", console)),
        )
        .child(element("memballoon").with("model", "none"))
        .child(
            element("rng")
                .with("model", "virtio")
                .child(
                    element("backend")
                        .with("model", "random")
                        .text("/dev/urandom"),
                )
                .children(shared(machine.tee)),
        ))
}

fn storage(disk: &Disk, letter: char, tee: Tee) -> Result<Element> {
    let driver = element("driver").with("name", "qemu").with("type", "raw");
    let driver = if tee.is_confidential() {
        driver.with("iommu", "on")
    } else {
        driver
    };
    let path = absolute(&disk.path)?;
    let (kind, attribute) = if path.starts_with("/dev/") {
        ("block", "dev")
    } else {
        ("file", "file")
    };
    let element = element("disk")
        .with("type", kind)
        .with("device", "disk")
        .child(driver)
        .child(self::element("source").with(attribute, path))
        .child(
            self::element("target")
                .with("dev", format!("vd{letter}"))
                .with("bus", "virtio"),
        )
        .child(self::element("serial").text(&disk.serial));
    Ok(if disk.read_only {
        element.child(self::element("readonly"))
    } else {
        element
    })
}

/// A device's way through shared memory.
fn shared(tee: Tee) -> Option<Element> {
    tee.is_confidential()
        .then(|| element("driver").with("iommu", "on"))
}

fn launch_security(tee: Tee) -> Option<Element> {
    let (kind, hashes) = match tee {
        Tee::None => return None,
        Tee::Se => ("s390-pv", false),
        Tee::Snp => ("sev-snp", true),
        Tee::Sev => ("sev", true),
        Tee::Tdx => ("tdx", false),
    };
    let mut security = element("launchSecurity").with("type", kind);
    if hashes {
        security = security.with("kernelHashes", "yes");
    }
    if let Some(policy) = tee.policy() {
        security = security.child(element("policy").text(format!("{policy:#x}")));
    }
    if tee == Tee::Tdx {
        security = security.child(element("quoteGenerationService"));
    }
    Some(security)
}
