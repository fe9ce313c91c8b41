//! A layer's archive into a folder of its own, with whiteouts in the form that overlayfs reads.
//!
//! Nothing in the archive is believed: names are resolved within the folder by the kernel, sizes and counts are bounded,
//! device nodes are left out (a container's `/dev` is made by the runtime), and no attribute that steers overlayfs is
//! taken over. The caller throws the folder away on any error.

mod metadata;
pub(crate) mod name;
pub(crate) mod root;

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timestamps};
use rustix::io::Errno;
use tar::EntryType;

use crate::acts::Acts;
use crate::limits;
use metadata::Metadata;
use name::Name;
use root::Root;

/// Why a layer was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// The archive does what no honest one does.
    #[error("entry {entry}: {cause}")]
    Refused { entry: String, cause: &'static str },
    /// Reading the archive or writing the files failed.
    #[error("{entry}: {cause}")]
    Io { entry: String, cause: io::Error },
}

/// Unpacks a tar archive into the empty folder `into`.
pub(crate) fn unpack(archive: impl Read, into: &Path, acts: &dyn Acts) -> Result<(), UnpackError> {
    let in_archive = |cause| UnpackError::Io {
        entry: "the archive".into(),
        cause,
    };
    let headers_left = Cell::new(None);
    let mut archive = tar::Archive::new(HeaderBound {
        inner: archive,
        left: &headers_left,
    });
    let mut tree = Tree {
        root: Root::open(into).map_err(in_archive)?,
        acts,
        folders: Vec::new(),
        folder_names: 0,
        buffer: vec![0; 128 << 10],
    };
    let mut entries = archive.entries().map_err(in_archive)?;
    for count in 0.. {
        // The tar crate keeps extended headers in memory, so they are bounded while it looks for the next entry.
        headers_left.set(Some(limits::HEADERS));
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(in_archive)?;
        headers_left.set(None);
        let shown = shown(&entry.path_bytes());
        if count >= limits::ENTRIES {
            return Err(UnpackError::Refused {
                entry: shown,
                cause: "there are too many entries",
            });
        }
        tree.add(&mut entry).map_err(|fault| fault.at(shown))?;
        // What an entry leaves unread must not count as headers of the next.
        io::copy(&mut entry, &mut io::sink()).map_err(in_archive)?;
    }
    tree.finish().map_err(in_archive)
}

/// A name for people: escaped and short.
fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path)
        .chars()
        .take(120)
        .collect::<String>()
        .escape_debug()
        .collect()
}

/// What stopped one entry, before its name is added.
enum Fault {
    Refused(&'static str),
    Io(io::Error),
}

impl Fault {
    fn at(self, entry: String) -> UnpackError {
        match self {
            Self::Refused(cause) => UnpackError::Refused { entry, cause },
            Self::Io(cause) => UnpackError::Io { entry, cause },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Fault {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

impl From<&'static str> for Fault {
    fn from(cause: &'static str) -> Self {
        Self::Refused(cause)
    }
}

/// The folder that is being filled.
struct Tree<'a> {
    root: Root,
    acts: &'a dyn Acts,
    /// Folders whose time is set last, since every file made in them changes it.
    folders: Vec<(PathBuf, Timestamps)>,
    folder_names: usize,
    buffer: Vec<u8>,
}

impl Tree<'_> {
    fn add<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<(), Fault> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        match name::parse(&entry.path_bytes())? {
            Name::Root if kind == EntryType::Directory => {
                let metadata = Metadata::read(entry)?;
                self.dress_folder(PathBuf::new(), &metadata)
            }
            Name::Root => Err("the root is no folder".into()),
            Name::Bookkeeping => Ok(()),
            Name::Opaque { folder } => {
                Ok(self.acts.opaque(self.root.make_folder(&folder)?.as_fd())?)
            }
            Name::Whiteout { folder, name } => {
                let parent = self.root.make_folder(&folder)?;
                self.hide(parent.as_fd(), &name)
            }
            Name::Entry { folder, name } => {
                let parent = self.root.make_folder(&folder)?;
                self.place(entry, kind, &folder, parent.as_fd(), &name)
            }
        }
    }

    /// A whiteout speaks of lower layers only: what this layer has under that name stays, without what is below.
    fn hide(&self, parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Fault> {
        match kind_of(parent, name)? {
            None => Ok(self.acts.whiteout(parent, name)?),
            Some(FileType::Directory) => Ok(self.acts.opaque(open_child(parent, name)?.as_fd())?),
            Some(_) => Ok(()),
        }
    }

    fn place<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        kind: EntryType,
        folder: &Path,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), Fault> {
        let metadata = Metadata::read(entry)?;
        if matches!(kind, EntryType::Char | EntryType::Block) {
            return Ok(());
        }
        let replaced = make_room(parent, name, kind == EntryType::Directory)?;
        match kind {
            EntryType::Directory => {
                root::make_child(parent, name)?;
                if replaced == Some(FileType::CharacterDevice) {
                    self.acts.opaque(open_child(parent, name)?.as_fd())?;
                }
                return self.dress_folder(folder.join(name), &metadata);
            }
            EntryType::Regular | EntryType::Continuous => {
                return self.write(entry, parent, name, &metadata);
            }
            EntryType::Link => {
                // The file has its owner, mode and time already, under its first name.
                let target = entry
                    .link_name_bytes()
                    .ok_or("a hard link points nowhere")?;
                let (folder, target) = name::parse_link(&target)?;
                let folder = self.root.folder(&folder)?;
                return Ok(rustix::fs::linkat(
                    folder,
                    &target,
                    parent,
                    name,
                    AtFlags::empty(),
                )?);
            }
            EntryType::Symlink => {
                let target = entry
                    .link_name_bytes()
                    .ok_or("a symbolic link points nowhere")?;
                rustix::fs::symlinkat(OsStr::from_bytes(&target), parent, name)?;
                self.acts.own(parent, name, metadata.uid, metadata.gid)?;
            }
            EntryType::Fifo => {
                rustix::fs::mknodat(parent, name, FileType::Fifo, Mode::empty(), 0)?;
                self.acts.own(parent, name, metadata.uid, metadata.gid)?;
                // Just made, so it is no link.
                rustix::fs::chmodat(
                    parent,
                    name,
                    Mode::from_raw_mode(metadata.mode),
                    AtFlags::empty(),
                )?;
            }
            _ => return Err("its type is not supported".into()),
        }
        Ok(rustix::fs::utimensat(
            parent,
            name,
            &metadata.modified,
            AtFlags::SYMLINK_NOFOLLOW,
        )?)
    }

    fn write<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        metadata: &Metadata,
    ) -> Result<(), Fault> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(
            parent,
            name,
            flags,
            Mode::RUSR | Mode::WUSR,
        )?);
        loop {
            let count = entry.read(&mut self.buffer)?;
            if count == 0 {
                break;
            }
            file.write_all(&self.buffer[..count])?;
        }
        // Giving a file away clears setuid and capabilities, so these come after.
        self.acts.own(parent, name, metadata.uid, metadata.gid)?;
        self.dress(file.as_fd(), metadata)?;
        Ok(rustix::fs::futimens(&file, &metadata.modified)?)
    }

    fn dress(&self, file: BorrowedFd<'_>, metadata: &Metadata) -> Result<(), Fault> {
        rustix::fs::fchmod(file, Mode::from_raw_mode(metadata.mode))?;
        for (name, value) in &metadata.attributes {
            self.acts.attribute(file, name, value)?;
        }
        Ok(())
    }

    fn dress_folder(&mut self, path: PathBuf, metadata: &Metadata) -> Result<(), Fault> {
        self.folder_names += path.as_os_str().len() + size_of::<(PathBuf, Timestamps)>();
        if self.folder_names > limits::FOLDER_NAMES {
            return Err("there are too many folders".into());
        }
        let folder = self.root.folder(&path)?;
        self.acts
            .own(folder.as_fd(), OsStr::new("."), metadata.uid, metadata.gid)?;
        self.dress(folder.as_fd(), metadata)?;
        self.folders.push((path, metadata.modified.clone()));
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        for (path, modified) in self.folders.iter().rev() {
            rustix::fs::futimens(self.root.folder(path)?, modified)?;
        }
        Ok(())
    }
}

/// Takes an earlier entry of the same name away, and says what it was. A folder stays for a folder, and is not
/// emptied for anything else: no honest layer holds both.
fn make_room(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    for_folder: bool,
) -> Result<Option<FileType>, Fault> {
    let kind = kind_of(parent, name)?;
    match kind {
        None => {}
        Some(FileType::Directory) if for_folder => {}
        Some(FileType::Directory) => return Err("it takes the place of a folder".into()),
        Some(_) => rustix::fs::unlinkat(parent, name, AtFlags::empty())?,
    }
    Ok(kind)
}

fn kind_of(parent: BorrowedFd<'_>, name: &OsStr) -> Result<Option<FileType>, Fault> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn open_child(parent: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Fault> {
    Ok(rustix::fs::openat(
        parent,
        name,
        root::folder_flags() | OFlags::NOFOLLOW,
        Mode::empty(),
    )?)
}

/// Fails once more than the allowed bytes were read, while a bound is set.
struct HeaderBound<'a, R> {
    inner: R,
    left: &'a Cell<Option<u64>>,
}

impl<R: Read> Read for HeaderBound<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(left) = self.left.get() {
            let left = left.checked_sub(count as u64).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "the headers of an entry are too large",
                )
            })?;
            self.left.set(Some(left));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
