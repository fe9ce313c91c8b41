//! QEMU's command line of a [`Machine`]: a pure function. Nothing but what the guest uses: no default devices, no
//! display, no reboot, and none of the devices (balloon, passed-through hardware) that a confidential guest must not have.

use std::ffi::OsString;
use std::path::Path;

use super::{Accelerator, Console, Disk, Forward, Machine, Network, Tee};

/// The bit of a page's address that says it is encrypted, and how many address bits that costs: the processor's own
/// values on AMD EPYC from Milan on.
const ENCRYPTION_BIT: &str = "cbitpos=51,reduced-phys-bits=1";
/// Where a TDX host's quoting service listens: the vsock port of its package on the host.
const QUOTING_SERVICE: &str = r#"{"type":"vsock","cid":"2","port":"4050"}"#;

impl Machine {
    /// The program that these arguments are for.
    pub fn program(&self) -> String {
        format!("qemu-system-{}", self.tee.architecture())
    }

    /// QEMU's arguments.
    pub fn arguments(&self, accelerator: Accelerator) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.words(&[
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
        ]);
        self.platform(&mut arguments);
        arguments.words(accelerator.arguments());
        arguments.option("-m", format!("{}M", self.memory));
        arguments.option("-smp", self.cpus.to_string());
        self.boot(&mut arguments);
        arguments.option("-object", "rng-builtin,id=rng");
        arguments.option("-device", self.virtio("rng", ",rng=rng"));
        match &self.console {
            Console::Stdio => arguments.option("-chardev", "stdio,id=console,signal=on"),
            Console::File(path) => {
                arguments.option("-chardev", joined("file,id=console,path=", path));
            }
        }
        arguments.words(&["-serial", "chardev:console"]);
        self.add_disks(&mut arguments);
        self.card(&mut arguments);
        if let Some(path) = &self.qmp {
            let mut socket = joined("unix:", path);
            socket.push(",server=on,wait=off");
            arguments.option("-qmp", socket);
        }
        arguments.0
    }

    /// Machine type and launch security.
    fn platform(&self, arguments: &mut Arguments) {
        let policy = self.tee.policy().unwrap_or_default();
        let (more, object) = match self.tee {
            Tee::None => ("", None),
            Tee::Se => ("", Some("s390-pv-guest,id=tee".to_owned())),
            Tee::Sev => (
                "",
                Some(format!(
                    "sev-guest,id=tee,{ENCRYPTION_BIT},policy={policy:#x},kernel-hashes=on"
                )),
            ),
            Tee::Snp => (
                ",memory-backend=memory",
                Some(format!(
                    "sev-snp-guest,id=tee,{ENCRYPTION_BIT},policy={policy:#x},kernel-hashes=on"
                )),
            ),
            Tee::Tdx => (
                ",kernel-irqchip=split",
                Some(format!(
                    r#"{{"qom-type":"tdx-guest","id":"tee","attributes":{policy},"quote-generation-socket":{QUOTING_SERVICE}}}"#
                )),
            ),
        };
        if self.tee == Tee::Snp {
            // Pages that are private to the guest cannot come from anonymous memory.
            arguments.option(
                "-object",
                format!(
                    "memory-backend-memfd,id=memory,size={}M,share=true",
                    self.memory
                ),
            );
        }
        let machine = self.tee.machine();
        match object {
            None => arguments.option("-machine", machine),
            Some(object) => {
                arguments.option("-object", object);
                arguments.option(
                    "-machine",
                    format!("{machine},confidential-guest-support=tee{more}"),
                );
            }
        }
    }

    /// Firmware, kernel, first file system and command line.
    fn boot(&self, arguments: &mut Arguments) {
        if let Some(firmware) = &self.firmware {
            arguments.option("-bios", firmware);
        }
        arguments.option("-kernel", &self.kernel);
        if let Some(initramfs) = &self.initramfs {
            arguments.option("-initrd", initramfs);
        }
        if !self.command_line.is_empty() {
            arguments.option("-append", &self.command_line);
        }
    }

    fn add_disks(&self, arguments: &mut Arguments) {
        let seed = self.seed.iter().map(|path| Disk {
            path: path.clone(),
            serial: "cidata".to_owned(),
            read_only: true,
        });
        for (index, disk) in seed.chain(self.disks.iter().cloned()).enumerate() {
            let read_only = if disk.read_only { "on" } else { "off" };
            let drive = format!("if=none,id=disk{index},format=raw,read-only={read_only},file=");
            arguments.option("-drive", joined(&drive, &disk.path));
            let options = format!(",drive=disk{index},serial={}", escaped(&disk.serial));
            arguments.option("-device", self.virtio("blk", &options));
        }
    }

    fn card(&self, arguments: &mut Arguments) {
        match &self.network {
            Network::None => arguments.words(&["-nic", "none"]),
            Network::User(forwards) => {
                let forward = |Forward { host, guest }: &Forward| {
                    format!("hostfwd=tcp:127.0.0.1:{host}-:{guest}")
                };
                let card: Vec<_> = ["user".to_owned(), "id=net".to_owned()]
                    .into_iter()
                    .chain(forwards.iter().map(forward))
                    .collect();
                arguments.option("-netdev", card.join(","));
                // No boot ROM, where a card has one: the kernel is given, and a ROM costs time.
                let rom = if self.tee == Tee::Se { "" } else { ",romfile=" };
                arguments.option("-device", self.virtio("net", &format!(",netdev=net{rom}")));
            }
        }
    }

    /// A device on the machine's bus, kept to shared memory where the guest's own is closed to it.
    fn virtio(&self, kind: &str, options: &str) -> String {
        let (bus, closed) = match self.tee {
            Tee::None => ("pci", ""),
            Tee::Se => ("ccw", ",iommu_platform=on"),
            Tee::Snp | Tee::Sev | Tee::Tdx => ("pci", ",disable-legacy=on,iommu_platform=on"),
        };
        format!("virtio-{kind}-{bus}{options}{closed}")
    }
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.extend([name.into(), value.into()]);
    }
}

/// QEMU splits option values at commas; a doubled comma is one of the value.
fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}

fn joined(option: &str, path: &Path) -> OsString {
    format!("{option}{}", escaped(&path.to_string_lossy())).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn machine() -> Machine {
        Machine {
            kernel: "vmlinuz".into(),
            initramfs: Some("initramfs".into()),
            command_line: "console=ttyS0".into(),
            tee: Tee::None,
            firmware: None,
            memory: 512,
            cpus: 2,
            seed: Some("seed.iso".into()),
            disks: vec![Disk::new("a,b.img", "data"), Disk::scratch("scratch.img")],
            network: Network::User(vec![Forward {
                host: 8080,
                guest: 80,
            }]),
            console: Console::File("console.log".into()),
            qmp: Some("qmp.sock".into()),
        }
    }

    fn text(machine: &Machine) -> String {
        let arguments = machine.arguments(Accelerator::Tcg { broken_cx16: true });
        arguments
            .iter()
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn every_part_of_the_machine_reaches_the_command_line() {
        let text = text(&machine());
        for expected in [
            "-nodefaults",
            "-no-reboot",
            "-m 512M -smp 2 -kernel vmlinuz -initrd initramfs -append console=ttyS0",
            "-chardev file,id=console,path=console.log -serial chardev:console",
            "-drive if=none,id=disk0,format=raw,read-only=on,file=seed.iso -device virtio-blk-pci,drive=disk0,serial=cidata",
            "id=disk1,format=raw,read-only=off,file=a,,b.img -device virtio-blk-pci,drive=disk1,serial=data",
            "drive=disk2,serial=hpcr-scratch",
            "-netdev user,id=net,hostfwd=tcp:127.0.0.1:8080-:80 -device virtio-net-pci,netdev=net,romfile=",
            "-qmp unix:qmp.sock,server=on,wait=off",
            "-cpu max,-cx16",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn a_machine_without_network_has_no_card() {
        let text = text(&Machine {
            network: Network::None,
            ..machine()
        });
        assert!(
            text.contains("-nic none") && !text.contains("netdev"),
            "{text}"
        );
    }

    #[test]
    fn a_confidential_guest_has_its_platform_and_devices_that_keep_to_shared_memory() {
        for (tee, expected) in [
            (
                Tee::Se,
                "-object s390-pv-guest,id=tee -machine s390-ccw-virtio,confidential-guest-support=tee",
            ),
            (
                Tee::Snp,
                "-object memory-backend-memfd,id=memory,size=512M,share=true -object sev-snp-guest,id=tee,cbitpos=51,reduced-phys-bits=1,policy=0x30000,kernel-hashes=on -machine q35,confidential-guest-support=tee,memory-backend=memory",
            ),
            (
                Tee::Sev,
                "-object sev-guest,id=tee,cbitpos=51,reduced-phys-bits=1,policy=0x3,kernel-hashes=on -machine q35,confidential-guest-support=tee",
            ),
            (
                Tee::Tdx,
                r#"-object {"qom-type":"tdx-guest","id":"tee","attributes":268435456,"quote-generation-socket":{"type":"vsock","cid":"2","port":"4050"}} -machine q35,confidential-guest-support=tee,kernel-irqchip=split"#,
            ),
        ] {
            let text = text(&Machine {
                tee,
                firmware: Some("OVMF.fd".into()),
                ..machine()
            });
            assert!(text.contains(expected), "{expected} in {text}");
            assert!(text.contains("-bios OVMF.fd"), "{text}");
            let devices: Vec<_> = text
                .split("-device ")
                .skip(1)
                .map(|rest| rest.split(' ').next().unwrap())
                .collect();
            assert_eq!(devices.len(), 5);
            let bus = if tee == Tee::Se { "-ccw," } else { "-pci," };
            for device in devices {
                assert!(
                    device.contains(bus) && device.ends_with(",iommu_platform=on"),
                    "{device}"
                );
            }
        }
    }
}
