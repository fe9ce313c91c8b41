//! KubeVirt: a VirtualMachine with its contract in a Secret, its volumes as claims that outlive it, and a Service for
//! the ports that it publishes, as `kubectl apply` takes them.
//!
//! The kernel comes out of a container image (`kernelBoot`). There is no balloon, no passed-through device, no huge
//! page and no display: nothing that Secure Execution forbids. A guest that has ended in order stays off.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hpcr_contract::{network, yaml};
use serde_json::{Map, Value, json};

use super::{SCRATCH_SERIAL, check_name, check_serials, check_size, refused};
use crate::Result;
use crate::qemu::Tee;

/// Where the boot container holds the kernel.
pub const KERNEL_PATH: &str = "/boot/vmlinuz";
/// Where the boot container holds the first file system; a Secure Execution image has its own inside.
pub const INITRAMFS_PATH: &str = "/boot/initramfs";
/// The most bytes of a Kubernetes secret.
const MAX_SECRET: usize = 1 << 20;
/// How long the guest has between power button and plug: its own way out takes some ten seconds.
const GRACE_SECONDS: u32 = 60;

/// A guest and what it keeps.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Name of the VirtualMachine, and the beginning of every other name.
    pub name: String,
    /// The container image that holds the kernel at [`KERNEL_PATH`] and the first file system at [`INITRAMFS_PATH`].
    pub container: String,
    /// The kernel's command line; empty for a Secure Execution image.
    pub command_line: String,
    /// MiB.
    pub memory: u32,
    /// Virtual processors.
    pub cpus: u32,
    /// What keeps the host out of the guest's memory.
    pub tee: Tee,
    /// The contract.
    pub user_data: Vec<u8>,
    /// cloud-init network-config; without it the guest asks DHCP.
    pub network_config: Option<Vec<u8>>,
    /// Persistent volumes.
    pub volumes: Vec<Volume>,
    /// Size of the disk for container images, which is lost with the guest.
    pub scratch: Option<String>,
    /// The storage class of the claims; without one, the cluster's default.
    pub storage_class: Option<String>,
    /// TCP ports of the guest that a Service leads to.
    pub ports: Vec<u16>,
}

/// A persistent volume claim, seen by the guest as a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The disk's serial: the volume's key in the contract, or its `volumeID`.
    pub serial: String,
    /// `10Gi`
    pub size: String,
}

impl Deployment {
    /// The manifests, as one YAML stream in the order in which they are to be made.
    pub fn to_yaml(&self) -> Result<String> {
        let mut text = String::new();
        for manifest in self.manifests()? {
            text.push_str("---\n");
            text.push_str(&yaml::write(&manifest)?);
        }
        Ok(text)
    }

    /// The manifests, in the order in which they are to be made.
    pub fn manifests(&self) -> Result<Vec<Value>> {
        self.check()?;
        let mut manifests = vec![self.secret()];
        manifests.extend(self.volumes.iter().map(|volume| self.claim(volume)));
        manifests.push(self.virtual_machine());
        if !self.ports.is_empty() {
            manifests.push(self.service());
        }
        Ok(manifests)
    }

    fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        check_size(self.memory, self.cpus)?;
        let scratch = self.scratch.iter().map(|_| SCRATCH_SERIAL);
        let serials = self.volumes.iter().map(|volume| volume.serial.as_str());
        check_serials(serials.chain(scratch))?;
        let mut labels = Vec::new();
        for volume in &self.volumes {
            let label = label(volume);
            if check_name(&label).is_err() || labels.contains(&label) {
                return Err(refused(
                    "--data",
                    format!("`{}` makes no Kubernetes name of its own", volume.serial),
                    "give the volume a `volumeID` of lower-case letters and digits in the contract, and name that",
                ));
            }
            labels.push(label);
        }
        for volume in &self.volumes {
            check_capacity("--data", &volume.size)?;
        }
        if let Some(size) = &self.scratch {
            check_capacity("--scratch", size)?;
        }
        self.check_ports()?;
        self.check_network()?;
        let secret = self.user_data.len() + self.network_config.as_ref().map_or(0, Vec::len);
        if secret > MAX_SECRET {
            return Err(refused(
                "--user-data",
                format!(
                    "the contract has {secret} bytes, and a Kubernetes secret holds {MAX_SECRET}"
                ),
                "make the contract smaller: a compose archive is the largest part of most",
            ));
        }
        if self.container.is_empty() || self.container.contains(char::is_whitespace) {
            return Err(refused(
                "--container",
                "this is no reference of a container image".to_owned(),
                "name it as in registry/repository@sha256:...",
            ));
        }
        Ok(())
    }

    fn check_ports(&self) -> Result<()> {
        for (index, port) in self.ports.iter().enumerate() {
            let cause = if *port == 0 {
                "0 is no port".to_owned()
            } else if self.ports[..index].contains(port) {
                format!("port {port} is there twice")
            } else {
                continue;
            };
            let remedy = "give each port from 1 to 65535 once";
            return Err(refused("--publish", cause, remedy));
        }
        Ok(())
    }

    /// The guest reads it as it boots, and ends where it cannot.
    fn check_network(&self) -> Result<()> {
        let Some(network) = &self.network_config else {
            return Ok(());
        };
        network::parse(network, "network-config").map_err(|found| {
            let found: Vec<_> = found
                .iter()
                .map(|one| format!("{}: {}", one.place, one.cause))
                .collect();
            refused(
                "--network-config",
                found.join("; "),
                "mend it; `hpcr-check network` tells each place",
            )
        })?;
        Ok(())
    }

    fn secret(&self) -> Value {
        let mut data = Map::new();
        let mut put = |key: &str, bytes: &[u8]| {
            data.insert(key.to_owned(), BASE64_STANDARD.encode(bytes).into());
        };
        put("userdata", &self.user_data);
        if let Some(network) = &self.network_config {
            put("networkdata", network);
        }
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": self.metadata(&self.secret_name()),
            "type": "Opaque",
            "data": data,
        })
    }

    fn claim(&self, volume: &Volume) -> Value {
        let mut spec = json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": volume.size}},
        });
        if let Some(class) = &self.storage_class {
            spec["storageClassName"] = class.as_str().into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": self.metadata(&self.claim_name(volume)),
            "spec": spec,
        })
    }

    fn virtual_machine(&self) -> Value {
        json!({
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachine",
            "metadata": self.metadata(&self.name),
            "spec": {
                // After a crash of the node or of QEMU, not after a power-off of the guest's own.
                "runStrategy": "RerunOnFailure",
                "template": {
                    "metadata": {"labels": self.labels()},
                    "spec": self.instance(),
                },
            },
        })
    }

    fn instance(&self) -> Value {
        let architecture = match self.tee {
            Tee::Se => "s390x",
            _ => "amd64",
        };
        let mut domain = json!({
            "cpu": {"cores": self.cpus},
            "memory": {"guest": format!("{}Mi", self.memory)},
            "firmware": self.firmware(),
            "devices": self.devices(),
        });
        match self.tee {
            Tee::None => {}
            Tee::Se => domain["launchSecurity"] = json!({}),
            Tee::Snp => domain["launchSecurity"] = json!({"snp": {}}),
            Tee::Sev => domain["launchSecurity"] = json!({"sev": {}}),
            Tee::Tdx => domain["launchSecurity"] = json!({"tdx": {}}),
        }
        json!({
            "architecture": architecture,
            // Memory that the host cannot read cannot be moved to another host: the guest starts anew there.
            "evictionStrategy": "None",
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "domain": domain,
            "networks": [{"name": "default", "pod": {}}],
            "volumes": self.instance_volumes(),
        })
    }

    fn firmware(&self) -> Value {
        let mut container = json!({"image": self.container, "kernelPath": KERNEL_PATH});
        let mut kernel_boot = json!({});
        if self.tee != Tee::Se {
            container["initrdPath"] = INITRAMFS_PATH.into();
            kernel_boot["kernelArgs"] = self.command_line.as_str().into();
        }
        kernel_boot["container"] = container;
        let mut firmware = json!({"kernelBoot": kernel_boot});
        if self.tee.needs_firmware() {
            firmware["bootloader"] = json!({"efi": {"secureBoot": false}});
        }
        firmware
    }

    fn devices(&self) -> Value {
        let disk = |name: &str, serial: &str| json!({"name": name, "serial": serial, "disk": {"bus": "virtio"}});
        let mut disks = vec![json!({"name": "seed", "disk": {"bus": "virtio", "readonly": true}})];
        disks.extend(
            self.volumes
                .iter()
                .map(|volume| disk(&label(volume), &volume.serial)),
        );
        disks.extend(self.scratch.iter().map(|_| disk("scratch", SCRATCH_SERIAL)));
        json!({
            "autoattachGraphicsDevice": false,
            "autoattachMemBalloon": false,
            // The console is for everybody: message codes and phases, never a workload's output.
            "logSerialConsole": true,
            "rng": {},
            "disks": disks,
            "interfaces": [{"name": "default", "model": "virtio", "masquerade": {}}],
        })
    }

    fn instance_volumes(&self) -> Vec<Value> {
        let reference = json!({"name": self.secret_name()});
        let mut seed = json!({"secretRef": reference});
        if self.network_config.is_some() {
            seed["networkDataSecretRef"] = reference;
        }
        let mut volumes = vec![json!({"name": "seed", "cloudInitNoCloud": seed})];
        volumes.extend(self.volumes.iter().map(|volume| {
            json!({"name": label(volume), "persistentVolumeClaim": {"claimName": self.claim_name(volume)}})
        }));
        volumes.extend(
            self.scratch
                .iter()
                .map(|size| json!({"name": "scratch", "emptyDisk": {"capacity": size}})),
        );
        volumes
    }

    fn service(&self) -> Value {
        let port =
            |port: &u16| json!({"name": format!("tcp-{port}"), "port": port, "protocol": "TCP"});
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.metadata(&self.name),
            "spec": {
                "selector": self.labels(),
                "ports": self.ports.iter().map(port).collect::<Vec<_>>(),
            },
        })
    }

    fn metadata(&self, name: &str) -> Value {
        json!({"name": name, "labels": self.labels()})
    }

    fn labels(&self) -> Value {
        json!({"app.kubernetes.io/name": "hpcr", "app.kubernetes.io/instance": self.name})
    }

    fn secret_name(&self) -> String {
        format!("{}-contract", self.name)
    }

    fn claim_name(&self, volume: &Volume) -> String {
        format!("{}-{}", self.name, label(volume))
    }
}

/// The volume's name among Kubernetes' names, which have no `_`.
fn label(volume: &Volume) -> String {
    format!("data-{}", volume.serial.replace('_', "-"))
}

/// A whole number of mebibytes, gibibytes or tebibytes, more than none.
fn check_capacity(option: &'static str, size: &str) -> Result<()> {
    let number = ["Mi", "Gi", "Ti"]
        .iter()
        .find_map(|unit| size.strip_suffix(unit));
    if number.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0)) {
        return Ok(());
    }
    Err(refused(
        option,
        format!("`{}` is no size", size.escape_debug()),
        "give a whole number and Mi, Gi or Ti, as in 10Gi",
    ))
}
