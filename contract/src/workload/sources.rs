//! What a mount may show, and where: data volumes, the attestation folder, files of the archive.
//!
//! Nothing else of the guest can be bound: what is not on this short list would be a way to the appliance. Whether a
//! path within a volume leads out through a link is for the engine to find when it mounts.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{Reader, Value};
use super::{Surroundings, paths};
use crate::plan::{File, Mount};

/// The folder with the attestation record: readable by every container, writable by none.
const ATTESTATION: &str = "/var/hyperprotect";

/// Where the files of the archive lie among those of the workload.
const ARCHIVE: &str = "archive";

/// Where the files lie that the workload writes out itself.
const GENERATED: &str = "generated";
/// The most bytes of files that are made of texts and variables.
const MOST_GENERATED: usize = 32 << 20;

const REMEDY: &str = "bind the mount path of a data volume of the contract, a file of the archive (`./file`), or \
     /var/hyperprotect";

/// What a bind mount shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A path of the guest that may be written.
    Guest(String),
    /// A path of the guest that nobody writes.
    GuestReadOnly(String),
    /// A file or folder of the workload.
    File(String),
}

impl Source {
    /// The mount of it.
    pub(super) fn at(self, target: String, read_only: bool) -> Mount {
        match self {
            Self::Guest(source) => Mount::Bind {
                source,
                target,
                read_only,
            },
            Self::GuestReadOnly(source) => Mount::Bind {
                source,
                target,
                read_only: true,
            },
            Self::File(source) => Mount::File { source, target },
        }
    }

    /// Its path in the archive, where it lies there.
    pub(super) fn archived(&self) -> Option<&str> {
        match self {
            Self::File(path) => path.strip_prefix(ARCHIVE)?.strip_prefix('/'),
            Self::Guest(_) | Self::GuestReadOnly(_) => None,
        }
    }

    /// A path below it.
    pub(super) fn below(self, path: &str) -> Self {
        let join = |source: String| format!("{source}/{path}");
        match self {
            Self::Guest(source) => Self::Guest(join(source)),
            Self::GuestReadOnly(source) => Self::GuestReadOnly(join(source)),
            Self::File(source) => Self::File(join(source)),
        }
    }
}

/// A path of the guest or, where it is relative, of the archive, which nobody writes.
pub(super) fn path(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    source: &str,
    read_only: bool,
    surroundings: &Surroundings<'_>,
) -> Option<Source> {
    if source.starts_with('/') {
        guest(reader, value, source, surroundings)
    } else {
        archive(reader, value, source, read_only, surroundings)
    }
}

fn guest(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    source: &str,
    surroundings: &Surroundings<'_>,
) -> Option<Source> {
    let source = reader.accept(value, paths::absolute(source), REMEDY)?;
    let is_volume = |volume: &String| paths::is_within(&source, volume);
    if paths::is_within(&source, ATTESTATION) {
        Some(Source::GuestReadOnly(source))
    } else if surroundings.volumes.iter().any(is_volume) {
        Some(Source::Guest(source))
    } else {
        let cause =
            "this path of the guest is not open to containers: no data volume is mounted there";
        reader.refuse(value, cause, REMEDY);
        None
    }
}

fn archive(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    source: &str,
    read_only: bool,
    surroundings: &Surroundings<'_>,
) -> Option<Source> {
    let source = reader.accept(value, paths::relative(source), REMEDY)?;
    let is_there = source.is_empty()
        || surroundings.files.contains_key(&source)
        || surroundings
            .files
            .keys()
            .any(|path| paths::is_within(path, &source));
    if !is_there {
        reader.refuse(
            value,
            "the archive has no such file, nor a folder of that name with a file in it",
            "add it to the archive; bind a data volume where something is to be kept",
        );
        return None;
    }
    if !surroundings.files.contains_key(&source) && !read_only {
        reader.advise(
            value,
            "a folder of the archive cannot be written by containers: nothing would be kept there",
            "write `ro` to say so, or bind the mount path of a data volume where something is to be kept",
        );
    }
    let archive = Source::File(ARCHIVE.to_owned());
    Some(if source.is_empty() {
        archive
    } else {
        archive.below(&source)
    })
}

/// A path in the container.
pub(super) fn target(reader: &mut Reader<'_>, value: &Value<'_>, text: &str) -> Option<String> {
    let target = reader.accept(
        value,
        paths::absolute(text),
        "write an absolute path in the container",
    )?;
    let is_kernels = ["/proc", "/sys"]
        .iter()
        .any(|folder| paths::is_within(&target, folder));
    if is_kernels || target == "/" || target == "/dev" {
        reader.refuse(
            value,
            "this path of the container cannot be mounted over",
            "choose another target",
        );
        return None;
    }
    Some(target)
}

/// What is written behind the target of a mount.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    /// Nobody writes.
    pub(super) read_only: bool,
    /// Podman's `U`: what is mounted shall belong to the container's user.
    owned: bool,
}

impl Options {
    /// Tells where an owner would have to be changed: what containers only read, everybody may read.
    pub(super) fn told(self, reader: &mut Reader<'_>, at: &Value<'_>, mount: &Mount) {
        if self.owned
            && matches!(
                mount,
                Mount::Bind {
                    read_only: false,
                    ..
                }
            )
        {
            reader.advise(
                at,
                "`U` changes no owner here: what a data volume holds stays as it is",
                "let a first step set the owner (an init container, a service that others wait for), or run as root",
            );
        }
    }
}

/// The options of a mount, separated by commas.
pub(super) fn options(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    text: Option<&str>,
) -> Option<Options> {
    let mut options = Options::default();
    for option in text.into_iter().flat_map(|text| text.split(',')) {
        match option {
            "ro" => options.read_only = true,
            "U" => options.owned = true,
            // Labels and caching modes of other engines change nothing here.
            "rw" | "z" | "Z" | "cached" | "delegated" | "consistent" => {}
            _ => {
                reader.refuse(
                    value,
                    "an option of the mount is not supported",
                    "use ro or rw; z, Z and U change nothing",
                );
                return None;
            }
        }
    }
    Some(options)
}

/// Reports a target that is mounted twice.
pub(super) fn once_each(reader: &mut Reader<'_>, service: &Value<'_>, mounts: &[Mount]) {
    let mut targets = BTreeSet::new();
    for mount in mounts {
        if !targets.insert(mount.target()) {
            reader.refuse(
                service,
                "two mounts have the same target",
                "give every mount a target of its own",
            );
        }
    }
}

/// The files of a workload: the archive's, and those that it writes out.
#[derive(Debug, Default)]
pub(super) struct Files {
    generated: BTreeMap<String, File>,
    /// Bytes of all that was added.
    bytes: usize,
}

impl Files {
    /// Adds a file to be written out, by a path that nothing else has. What is too much is counted and not kept: see
    /// [`Files::bound`].
    pub(super) fn add(&mut self, path: &str, file: File) -> Source {
        let path = format!("{GENERATED}/{path}");
        self.bytes = self.bytes.saturating_add(file.bytes.len());
        if self.bytes <= MOST_GENERATED {
            self.generated.insert(path.clone(), file);
        }
        Source::File(path)
    }

    /// Refuses files that take more memory together than a small guest can spare: the same text may be written out at
    /// many places.
    pub(super) fn bound(&self, reader: &mut Reader<'_>, value: &Value<'_>) {
        if self.bytes > MOST_GENERATED {
            reader.refuse(
                value,
                "the files that are made of texts and variables take more than 32 MiB together",
                "mount each once, or put large files into the archive",
            );
        }
    }

    /// A folder of files that have been added.
    pub(super) fn folder(path: &str) -> Source {
        Source::File(format!("{GENERATED}/{path}"))
    }

    /// All of them.
    pub(super) fn with_archive(self, archive: BTreeMap<String, File>) -> BTreeMap<String, File> {
        let mut files = self.generated;
        files.extend(
            archive
                .into_iter()
                .map(|(path, file)| (format!("{ARCHIVE}/{path}"), file)),
        );
        files
    }
}
