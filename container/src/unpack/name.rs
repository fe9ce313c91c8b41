//! The name of an archive entry, read as an enemy's: what it means, or why it is refused. Pure; touches no file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::limits;

/// What an entry of a layer stands for (OCI image specification, "Layer changesets").
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// The root folder itself (`./`).
    Root,
    /// Something in a folder.
    Entry {
        /// The folder, relative, without `.` and `..`; empty for the root.
        folder: PathBuf,
        /// The last component.
        name: OsString,
    },
    /// `.wh.NAME`: NAME of the lower layers is hidden.
    Whiteout {
        /// The folder, as above.
        folder: PathBuf,
        /// What is hidden.
        name: OsString,
    },
    /// `.wh..wh..opq`: all that lower layers have in this folder is hidden.
    Opaque {
        /// The folder, as above.
        folder: PathBuf,
    },
    /// Other `.wh..wh.` names: bookkeeping of aufs, without a meaning here.
    Bookkeeping,
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const AUFS: &[u8] = b".wh..wh.";

/// Reads the name of an entry.
pub(crate) fn parse(bytes: &[u8]) -> Result<Name, &'static str> {
    let components = components(bytes)?;
    let Some((name, folder)) = components.split_last() else {
        return Ok(Name::Root);
    };
    // A whiteout in the middle of a path would make a folder that no later layer can name.
    if folder
        .iter()
        .any(|component| component.starts_with(WHITEOUT))
    {
        return Err("a folder has the name of a whiteout");
    }
    let folder = join(folder);
    Ok(match *name {
        OPAQUE => Name::Opaque { folder },
        name if name.starts_with(AUFS) => Name::Bookkeeping,
        name => match name.strip_prefix(WHITEOUT) {
            Some(b"" | b"." | b"..") => return Err("a whiteout hides nothing"),
            Some(hidden) => Name::Whiteout {
                folder,
                name: OsStr::from_bytes(hidden).to_owned(),
            },
            None => Name::Entry {
                folder,
                name: OsStr::from_bytes(name).to_owned(),
            },
        },
    })
}

/// Reads the target of a hard link, which is a name in the same layer.
pub(crate) fn parse_link(bytes: &[u8]) -> Result<(PathBuf, OsString), &'static str> {
    match parse(bytes)? {
        Name::Entry { folder, name } => Ok((folder, name)),
        _ => Err("a hard link points at something that is no file"),
    }
}

/// The components without `.`; a leading slash means the root of the layer, as everywhere in this format.
pub(crate) fn components(bytes: &[u8]) -> Result<Vec<&[u8]>, &'static str> {
    if bytes.len() > limits::PATH {
        return Err("a path is too long");
    }
    if bytes.contains(&0) {
        return Err("a path has a zero byte");
    }
    let components: Vec<_> = bytes
        .split(|&b| b == b'/')
        .filter(|c| !c.is_empty() && *c != b".")
        .collect();
    if components.iter().any(|c| *c == b"..") {
        return Err("a path goes up");
    }
    if components.iter().any(|c| c.len() > 255) {
        return Err("a name is too long");
    }
    if components.len() > limits::DEPTH {
        return Err("a path is too deep");
    }
    Ok(components)
}

/// Puts components together again.
pub(crate) fn join(components: &[&[u8]]) -> PathBuf {
    components
        .iter()
        .map(|component| Path::new(OsStr::from_bytes(component)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn entry(folder: &str, name: &str) -> Name {
        Name::Entry {
            folder: folder.into(),
            name: name.into(),
        }
    }

    #[test]
    fn names_mean_what_the_specification_says() {
        for (bytes, meaning) in [
            ("./", Name::Root),
            ("/", Name::Root),
            ("a", entry("", "a")),
            ("/etc/passwd", entry("etc", "passwd")),
            ("./usr//lib/./x/", entry("usr/lib", "x")),
            ("a/...", entry("a", "...")),
            (
                "a/.wh.b",
                Name::Whiteout {
                    folder: "a".into(),
                    name: "b".into(),
                },
            ),
            (
                ".wh.b",
                Name::Whiteout {
                    folder: "".into(),
                    name: "b".into(),
                },
            ),
            ("a/.wh..wh..opq", Name::Opaque { folder: "a".into() }),
            (".wh..wh.plnk", Name::Bookkeeping),
            ("a/.wh..wh.aufs", Name::Bookkeeping),
        ] {
            assert_eq!(parse(bytes.as_bytes()), Ok(meaning), "{bytes}");
        }
    }

    #[test]
    fn names_that_lead_out_or_hide_nothing_are_refused() {
        let (long, wide, deep) = ("a/".repeat(2_100), "a".repeat(256), "a/".repeat(129));
        for bytes in [
            "..",
            "../a",
            "a/../../b",
            "a/..",
            "/..",
            "a\0b",
            ".wh.",
            ".wh...",
            "a/.wh..",
            ".wh.a/b",
            &long,
            &wide,
            &deep,
        ] {
            assert!(parse(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }

    #[test]
    fn a_hard_link_points_at_a_file_of_its_layer() {
        assert_eq!(parse_link(b"/bin/a").unwrap(), ("bin".into(), "a".into()));
        for bytes in ["", "/", "../a", ".wh.a", "a/.wh..wh..opq"] {
            assert!(parse_link(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn no_name_gets_a_component_that_leads_up(bytes in "[a./\\x00w\\-h]{0,40}") {
            if let Ok(Name::Entry { folder, name } | Name::Whiteout { folder, name }) = parse(bytes.as_bytes()) {
                let path = folder.join(name);
                prop_assert!(path.is_relative());
                prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
