//! Phase 1: pseudo file systems, the first console line, kernel modules (begun), entropy, memory against the minimum.

use std::sync::Arc;

use hpcr_contract::image_config::{self, ImageConfig, ImageKind};
use rustix::mount::MountFlags;
use rustix::rand::GetRandomFlags;

use crate::acts::Mount;
use crate::error::Error;
use crate::guards;
use crate::guest::Guest;
use crate::modules::{self, Modules};

/// What the image fixes.
#[derive(Debug)]
pub(crate) struct Early {
    /// The image's configuration.
    pub(crate) config: ImageConfig,
    /// The kernel modules, which are being loaded.
    pub(crate) modules: Modules,
}

const NO_PROGRAMS: MountFlags = MountFlags::NOSUID
    .union(MountFlags::NOEXEC)
    .union(MountFlags::NODEV);

const MOUNTS: &[Mount] = &[
    mount("proc", "/proc", NO_PROGRAMS, ""),
    mount("sysfs", "/sys", NO_PROGRAMS, ""),
    mount(
        "devtmpfs",
        "/dev",
        MountFlags::NOSUID.union(MountFlags::NOEXEC),
        "mode=0755",
    ),
    mount(
        "devpts",
        "/dev/pts",
        MountFlags::NOSUID.union(MountFlags::NOEXEC),
        "ptmxmode=0666,mode=0620",
    ),
    mount("tmpfs", "/dev/shm", NO_PROGRAMS, "mode=1777"),
    mount("mqueue", "/dev/mqueue", NO_PROGRAMS, ""),
    // crun executes a copy of itself from there, and network namespaces are bound there.
    mount(
        "tmpfs",
        "/run",
        MountFlags::NOSUID.union(MountFlags::NODEV),
        "mode=0755",
    ),
    mount("tmpfs", "/tmp", NO_PROGRAMS, "mode=1777"),
    mount(
        "tmpfs",
        "/var/hyperprotect",
        NO_PROGRAMS,
        // A seed disk of the largest size fits, with what is derived from it.
        "mode=0755,size=96m",
    ),
    mount("cgroup2", "/sys/fs/cgroup", NO_PROGRAMS, "nsdelegate"),
    Mount {
        optional: true,
        ..mount("securityfs", "/sys/kernel/security", NO_PROGRAMS, "")
    },
];

const fn mount(
    kind: &'static str,
    at: &'static str,
    flags: MountFlags,
    options: &'static str,
) -> Mount {
    Mount {
        kind,
        at,
        flags,
        options,
        optional: false,
    }
}

/// Kernel messages below `KERN_CRIT` stay off the console; the collector gets all of them.
const PRINTK: &str = "3 4 1 3";

pub(crate) async fn run(guest: &Arc<Guest>) -> Result<Early, Error> {
    let config = read_config(guest)?;
    guest.set_kind(config.kind);
    guest.console.note(&first_line(&config));

    prepare(guest)?;
    guards::signals::watch(guest).map_err(Error::act("watching signals of", "process 1"))?;
    let modules = modules::load(guest, config.modules.clone());
    check_memory(guest, config.minimum_memory)?;
    wait_for_entropy().await?;
    Ok(Early { config, modules })
}

fn read_config(guest: &Guest) -> Result<ImageConfig, Error> {
    let path = guest.path(image_config::PATH);
    let text = std::fs::read(&path).map_err(Error::act("reading", path))?;
    Ok(serde_json::from_slice(&text)?)
}

fn first_line(config: &ImageConfig) -> String {
    match config.kind {
        ImageKind::Development => format!(
            "DEVELOPMENT IMAGE {}: its keys lie in the open; give it no secrets",
            config.version
        ),
        ImageKind::Production => format!("production image {}", config.version),
    }
}

fn prepare(guest: &Guest) -> Result<(), Error> {
    let acts = &guest.acts;
    acts.cover_root().map_err(Error::act("covering", "/"))?;
    for mount in MOUNTS {
        match acts.mount(mount) {
            Err(error) if !mount.optional => return Err(Error::act("mounting", mount.at)(error)),
            _ => {}
        }
    }
    let set = |path: &str, value: &str| {
        let path = guest.path(path);
        acts.set(&path, value).map_err(Error::act("setting", path))
    };
    set("/proc/sys/kernel/printk", PRINTK)?;
    set("/proc/sys/kernel/sysrq", "0")?;
    acts.set_host_name("hpcr")
        .map_err(Error::act("naming", "the guest"))?;
    acts.take_ctrl_alt_del()
        .map_err(Error::act("taking", "ctrl-alt-del"))
}

fn check_memory(guest: &Guest, least: u64) -> Result<(), Error> {
    let path = guest.path("/proc/meminfo");
    let text = std::fs::read_to_string(&path).map_err(Error::act("reading", path))?;
    let have = total_memory(&text);
    if have < least {
        return Err(Error::Memory {
            have: have >> 20,
            need: least.div_ceil(1 << 20),
        });
    }
    Ok(())
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn total_memory(meminfo: &str) -> u64 {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

/// Waits until the kernel's random numbers are good.
async fn wait_for_entropy() -> Result<(), Error> {
    let draw = || rustix::rand::getrandom(&mut [0u8; 1][..], GetRandomFlags::empty());
    let drawn = tokio::task::spawn_blocking(draw).await;
    let drawn = drawn.map_err(|error| Error::Bug(error.to_string()))?;
    drawn
        .map(drop)
        .map_err(Error::act("drawing from", "getrandom"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recorder::Recorder;
    use crate::console::Console;
    use crate::console::tests::Screen;

    fn guest() -> (Guest, Recorder) {
        let recorder = Recorder::default();
        let (guest, _) = Guest::new(Console::new(Screen::default()), recorder.clone(), "/");
        (guest, recorder)
    }

    #[test]
    fn the_root_is_covered_before_anything_is_mounted_and_optional_file_systems_may_lack() {
        let (guest, recorder) = guest();
        prepare(&guest).unwrap();
        let acts = recorder.acts();
        assert_eq!(acts[..3], ["cover root", "mount /proc", "mount /sys"]);
        assert_eq!(acts.last().unwrap(), "take ctrl-alt-del");
    }

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        for (text, bytes) in [
            (
                "MemTotal:         458096 kB\nMemFree: 1 kB\n",
                458_096 * 1024,
            ),
            ("MemFree: 1 kB\n", 0),
            ("MemTotal: many kB\n", 0),
        ] {
            assert_eq!(total_memory(text), bytes, "{text}");
        }
    }

    #[test]
    fn a_development_image_says_so() {
        let config = |kind| ImageConfig {
            version: "0.1.0".to_owned(),
            base_image: [0; 32],
            kind,
            built: 0,
            contract_key: image_config::KeySource::Embedded {
                path: String::new(),
            },
            contract_identity: None,
            attestation_key: image_config::KeySource::Embedded {
                path: String::new(),
            },
            encryption_certificate_expires: 0,
            modules: Vec::new(),
            minimum_memory: 0,
        };
        assert!(first_line(&config(ImageKind::Development)).starts_with("DEVELOPMENT IMAGE 0.1.0"));
        assert!(!first_line(&config(ImageKind::Production)).contains("DEVELOPMENT"));
    }
}
