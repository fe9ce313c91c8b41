//! A folder that nothing inside can lead out of: every path is resolved by the kernel within it (openat2(2),
//! `RESOLVE_IN_ROOT`), symbolic links included.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The folder.
#[derive(Debug)]
pub(crate) struct Root(OwnedFd);

impl Root {
    /// Opens a folder whose own path is trusted.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(rustix::fs::openat(
            CWD,
            path,
            folder_flags(),
            Mode::empty(),
        )?))
    }

    /// Opens what `path` names inside, following links inside only.
    pub(crate) fn open_at(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        Ok(rustix::fs::openat2(
            &self.0,
            path,
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            resolve,
        )?)
    }

    /// Opens a folder inside; it must exist.
    pub(crate) fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_at(path, folder_flags())
    }

    /// Opens a folder inside, making it and its parents (root's, 0755) where they are missing.
    pub(crate) fn make_folder(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.folder(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return self.folder(path);
        };
        make_child(self.make_folder(parent)?.as_fd(), name)?;
        self.folder(path)
    }

    /// Reads a regular file inside, at most `limit` bytes of it; none where there is no such file.
    pub(crate) fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        // O_NONBLOCK: a pipe in its place must not hold the boot up.
        let file = match self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
            Ok(fd) => File::from(fd),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it is larger than it may be",
            ));
        }
        Ok(Some(bytes))
    }
}

/// Makes a folder by its single name, 0755; an existing one is left as it is.
pub(crate) fn make_child(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How a folder is opened to work in it.
pub(crate) fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_inside_of_the_root_only() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir_all(inner.join("etc")).unwrap();
        std::fs::write(inner.join("etc/passwd"), "inside").unwrap();
        std::fs::write(outer.path().join("secret"), "outside").unwrap();
        symlink("/etc/passwd", inner.join("absolute")).unwrap();
        symlink("../../../../etc/passwd", inner.join("up")).unwrap();
        symlink("../secret", inner.join("out")).unwrap();
        let root = Root::open(&inner).unwrap();
        for name in ["etc/passwd", "absolute", "up"] {
            assert_eq!(
                root.read(Path::new(name), 10).unwrap().unwrap(),
                b"inside",
                "{name}"
            );
        }
        assert_eq!(root.read(Path::new("out"), 10).unwrap(), None);
        assert!(
            root.read(Path::new("etc/passwd"), 5).is_err(),
            "a bound on the size"
        );
    }

    #[test]
    fn folders_are_made_inside_even_through_a_hostile_link() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir_all(inner.join("real")).unwrap();
        symlink("/real", inner.join("link")).unwrap();
        symlink("../../..", inner.join("up")).unwrap();
        symlink("/nowhere", inner.join("dangling")).unwrap();
        let root = Root::open(&inner).unwrap();
        root.make_folder(Path::new("link/a/b")).unwrap();
        root.make_folder(Path::new("up/c")).unwrap();
        assert!(inner.join("real/a/b").is_dir() && inner.join("c").is_dir());
        assert!(root.make_folder(Path::new("dangling/d")).is_err());
        assert_eq!(std::fs::read_dir(outer.path()).unwrap().count(), 1);
    }
}
