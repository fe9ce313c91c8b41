//! The privileged acts of this crate behind one trait: the kernel's, and in tests a recording one.
//!
//! Nothing here decides anything; each function is one act of the kernel.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid, XattrFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
};

use crate::namespace;

/// An overlay file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overlay {
    /// Read-only folders, the topmost first.
    pub lower: Vec<PathBuf>,
    /// Where changes go.
    pub upper: PathBuf,
    /// The kernel's own folder, on the same file system as `upper`.
    pub work: PathBuf,
    /// Where it is mounted.
    pub at: PathBuf,
}

/// What only root may do.
pub(crate) trait Acts: Send + Sync {
    /// Hides `name` of the lower layers: a character device 0:0.
    fn whiteout(&self, folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()>;
    /// Hides everything that lower layers have in this folder.
    fn opaque(&self, folder: BorrowedFd<'_>) -> io::Result<()>;
    /// Gives `name` (never what a link there points at) to its owner.
    fn own(&self, folder: BorrowedFd<'_>, name: &OsStr, uid: u32, gid: u32) -> io::Result<()>;
    /// Sets an extended attribute of an open file or folder.
    fn attribute(&self, file: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> io::Result<()>;
    /// Mounts an overlay, without device nodes.
    fn overlay(&self, overlay: &Overlay) -> io::Result<()>;
    /// Binds an open file or folder to a path.
    fn bind(&self, source: &OwnedFd, at: &Path) -> io::Result<()>;
    /// Takes a mount away, also while it is still in use.
    fn unmount(&self, at: &Path) -> io::Result<()>;
    /// Makes a network namespace and binds it to an existing empty file.
    fn network_namespace(&self, at: &Path) -> io::Result<()>;
}

/// The kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel;

impl Acts for Kernel {
    fn whiteout(&self, folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::mknodat(
            folder,
            name,
            FileType::CharacterDevice,
            Mode::empty(),
            0,
        )?)
    }

    fn opaque(&self, folder: BorrowedFd<'_>) -> io::Result<()> {
        Ok(rustix::fs::fsetxattr(
            folder,
            c"trusted.overlay.opaque",
            b"y",
            XattrFlags::empty(),
        )?)
    }

    fn own(&self, folder: BorrowedFd<'_>, name: &OsStr, uid: u32, gid: u32) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        Ok(rustix::fs::chownat(
            folder,
            name,
            Some(uid),
            Some(gid),
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }

    fn attribute(&self, file: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::fsetxattr(
            file,
            name,
            value,
            XattrFlags::empty(),
        )?)
    }

    fn overlay(&self, overlay: &Overlay) -> io::Result<()> {
        // One `lowerdir+` a layer: the old mount data ends at one page, which a long image overruns.
        let context = rustix::mount::fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for lower in &overlay.lower {
            rustix::mount::fsconfig_set_string(&context, c"lowerdir+", lower)?;
        }
        rustix::mount::fsconfig_set_string(&context, c"upperdir", &overlay.upper)?;
        rustix::mount::fsconfig_set_string(&context, c"workdir", &overlay.work)?;
        // The scratch disk is worthless after a crash, so its flushes are wasted time.
        rustix::mount::fsconfig_set_flag(&context, c"volatile")?;
        rustix::mount::fsconfig_create(&context)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NODEV;
        let mount = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        attach(&mount, &overlay.at)
    }

    fn bind(&self, source: &OwnedFd, at: &Path) -> io::Result<()> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH;
        attach(&rustix::mount::open_tree(source, c"", flags)?, at)
    }

    fn unmount(&self, at: &Path) -> io::Result<()> {
        Ok(rustix::mount::unmount(
            at,
            UnmountFlags::DETACH | UnmountFlags::NOFOLLOW,
        )?)
    }

    fn network_namespace(&self, at: &Path) -> io::Result<()> {
        namespace::bind_new_network(at)
    }
}

fn attach(mount: &OwnedFd, at: &Path) -> io::Result<()> {
    Ok(rustix::mount::move_mount(
        mount,
        c"",
        CWD,
        at,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )?)
}

#[cfg(test)]
pub(crate) mod recorder {
    //! Acts that are only written down, so that decisions are tested without root.
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::sync::Mutex;

    /// Writes acts down; a whiteout leaves an empty file, so that a test sees where it landed.
    #[derive(Debug, Default)]
    pub(crate) struct Recorder(pub Mutex<Vec<String>>);

    impl Recorder {
        #[allow(clippy::unnecessary_wraps)] // the acts end with it
        fn note(&self, what: String) -> io::Result<()> {
            self.0.lock().unwrap().push(what);
            Ok(())
        }

        /// What was done, in order.
        pub(crate) fn acts(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }
    }

    impl Acts for Recorder {
        fn whiteout(&self, folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
            rustix::fs::mknodat(folder, name, FileType::RegularFile, Mode::RUSR, 0)?;
            self.note(format!("whiteout {}", name.display()))
        }
        fn opaque(&self, _: BorrowedFd<'_>) -> io::Result<()> {
            self.note("opaque".into())
        }
        fn own(&self, _: BorrowedFd<'_>, name: &OsStr, uid: u32, gid: u32) -> io::Result<()> {
            self.note(format!("own {} {uid}:{gid}", name.display()))
        }
        fn attribute(&self, _: BorrowedFd<'_>, name: &OsStr, _: &[u8]) -> io::Result<()> {
            self.note(format!("attribute {}", name.display()))
        }
        fn overlay(&self, overlay: &Overlay) -> io::Result<()> {
            self.note(format!("overlay of {} layers", overlay.lower.len()))
        }
        fn bind(&self, _: &OwnedFd, at: &Path) -> io::Result<()> {
            self.note(format!("bind {}", at.file_name().unwrap().display()))
        }
        fn unmount(&self, at: &Path) -> io::Result<()> {
            self.note(format!("unmount {}", at.file_name().unwrap().display()))
        }
        fn network_namespace(&self, at: &Path) -> io::Result<()> {
            self.note(format!("namespace {}", at.file_name().unwrap().display()))
        }
    }
}
