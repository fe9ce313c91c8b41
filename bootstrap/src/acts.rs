//! The privileged and irreversible acts of PID 1 behind one trait: the kernel's, and in tests one that only records.
//!
//! Nothing here decides anything; each function is one act.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, UnmountFlags};
use rustix::process::{Pid, Signal};
use rustix::system::RebootCommand;

/// A file system to mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Its kind, as the kernel calls it.
    pub(crate) kind: &'static str,
    /// Where.
    pub(crate) at: &'static str,
    /// How.
    pub(crate) flags: MountFlags,
    /// Options of its kind.
    pub(crate) options: &'static str,
    /// Whether a kernel may lack it.
    pub(crate) optional: bool,
}

/// What only PID 1 does.
pub(crate) trait Acts: Send + Sync {
    /// Makes the folder and mounts a file system on it.
    fn mount(&self, mount: &Mount) -> io::Result<()>;
    /// Puts a mount of the initramfs over itself, so that the root has a parent and `pivot_root` works.
    fn cover_root(&self) -> io::Result<()>;
    /// Loads a kernel module.
    fn load_module(&self, path: &Path) -> io::Result<()>;
    /// Names the guest.
    fn set_host_name(&self, name: &str) -> io::Result<()>;
    /// Writes a setting of the kernel.
    fn set(&self, path: &Path, value: &str) -> io::Result<()>;
    /// Makes the kernel ask us when ctrl-alt-del is pressed, instead of restarting.
    fn take_ctrl_alt_del(&self) -> io::Result<()>;
    /// Kills every other process.
    fn kill_all(&self);
    /// Takes a mount out of sight; it ends with its last use.
    fn detach(&self, folder: &Path) -> io::Result<()>;
    /// Writes out what is left.
    fn sync(&self);
    /// Powers the guest off. The kernel's never returns.
    fn power_off(&self);
}

/// The kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel;

impl Acts for Kernel {
    fn mount(&self, mount: &Mount) -> io::Result<()> {
        std::fs::create_dir_all(mount.at)?;
        let options = std::ffi::CString::new(mount.options)?;
        Ok(rustix::mount::mount(
            mount.kind,
            mount.at,
            mount.kind,
            mount.flags,
            options.as_c_str(),
        )?)
    }

    fn cover_root(&self) -> io::Result<()> {
        // Any empty folder serves as the place where the second mount starts from.
        rustix::mount::mount_bind("/", "/mnt")?;
        rustix::process::chdir("/mnt")?;
        rustix::mount::mount_move(".", "/")?;
        rustix::process::chroot(".")?;
        Ok(rustix::process::chdir("/")?)
    }

    fn load_module(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::system::finit_module(File::open(path)?, c"", 0)?)
    }

    fn set_host_name(&self, name: &str) -> io::Result<()> {
        Ok(rustix::system::sethostname(name.as_bytes())?)
    }

    fn set(&self, path: &Path, value: &str) -> io::Result<()> {
        std::fs::write(path, value)
    }

    fn take_ctrl_alt_del(&self) -> io::Result<()> {
        Ok(rustix::system::reboot(RebootCommand::CadOff)?)
    }

    fn kill_all(&self) {
        // The group of process 1 is, for kill(2), every process but the caller. None left is as good.
        let _ = rustix::process::kill_process_group(Pid::INIT, Signal::KILL);
    }

    fn detach(&self, folder: &Path) -> io::Result<()> {
        Ok(rustix::mount::unmount(folder, UnmountFlags::DETACH)?)
    }

    fn sync(&self) {
        rustix::fs::sync();
    }

    fn power_off(&self) {
        loop {
            // It does not return; where it fails there is nothing left to do but to try again.
            let _ = rustix::system::reboot(RebootCommand::PowerOff);
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
    }
}

#[cfg(test)]
pub(crate) mod recorder {
    //! Acts that are only written down.
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::sync::{Arc, Mutex};

    /// Writes acts down; modules whose name holds `absent` find no hardware; modules and settings with `broken` fail.
    #[derive(Debug, Default, Clone)]
    pub(crate) struct Recorder(Arc<Mutex<Vec<String>>>);

    impl Recorder {
        pub(crate) fn note(&self, what: impl Into<String>) {
            self.0.lock().unwrap().push(what.into());
        }

        pub(crate) fn acts(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }
    }

    impl Acts for Recorder {
        fn mount(&self, mount: &Mount) -> io::Result<()> {
            self.note(format!("mount {}", mount.at));
            if mount.optional {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(())
        }
        fn cover_root(&self) -> io::Result<()> {
            self.note("cover root");
            Ok(())
        }
        fn load_module(&self, path: &Path) -> io::Result<()> {
            self.note(format!("load {}", path.display()));
            let name = path.to_string_lossy();
            if name.contains("absent") {
                return Err(rustix::io::Errno::NODEV.into());
            }
            if name.contains("broken") {
                return Err(rustix::io::Errno::NOENT.into());
            }
            Ok(())
        }
        fn set_host_name(&self, name: &str) -> io::Result<()> {
            self.note(format!("name {name}"));
            Ok(())
        }
        fn set(&self, path: &Path, value: &str) -> io::Result<()> {
            self.note(format!("set {} {value}", path.display()));
            if path.to_string_lossy().contains("broken") {
                return Err(rustix::io::Errno::PERM.into());
            }
            Ok(())
        }
        fn take_ctrl_alt_del(&self) -> io::Result<()> {
            self.note("take ctrl-alt-del");
            Ok(())
        }
        fn kill_all(&self) {
            self.note("kill all");
        }
        fn detach(&self, folder: &Path) -> io::Result<()> {
            self.note(format!("detach {}", folder.display()));
            Ok(())
        }
        fn sync(&self) {
            self.note("sync");
        }
        fn power_off(&self) {
            self.note("power off");
        }
    }
}
