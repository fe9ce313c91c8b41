//! The mounts of a service: data volumes, files of the archive, the attestation folder, and temporary file systems.
//!
//! Nothing else of the guest can be bound: what is not on this short list would be a way to the appliance. Whether a
//! path within a volume leads out through a link is for the engine to find when it mounts.

use std::collections::BTreeSet;

use super::paths;
use super::reader::{Reader, Value};
use super::service::Surroundings;
use crate::plan::Mount;

/// The folder with the attestation record: readable by every container, writable by none.
const ATTESTATION: &str = "/var/hyperprotect";

/// Reads `volumes`, short and long.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Vec<Mount> {
    let items = reader.items(value);
    items
        .iter()
        .filter_map(|item| {
            if item.is_mapping() {
                long(reader, item, surroundings)
            } else {
                short(reader, item, surroundings)
            }
        })
        .collect()
}

/// Reads `tmpfs`.
pub(super) fn tmpfs(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<Mount> {
    let items = reader.one_or_many(value);
    items
        .iter()
        .filter_map(|item| {
            let text = reader.text(item)?;
            if text.contains(':') {
                reader.refuse(
                    item,
                    "options of a temporary file system are not supported",
                    "write the path alone",
                );
                return None;
            }
            Some(plain_tmpfs(target(reader, item, &text)?))
        })
        .collect()
}

fn plain_tmpfs(target: String) -> Mount {
    Mount::Tmpfs {
        target,
        bytes: None,
        mode: None,
    }
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

/// `source:target[:options]`.
fn short(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<Mount> {
    let text = reader.text(value)?;
    let mut parts = text.splitn(3, ':');
    let (Some(source), Some(target_text)) = (parts.next(), parts.next()) else {
        reader.refuse(
            value,
            "volumes without a source are not supported",
            "use `tmpfs`, or bind the mount path of a data volume of the contract",
        );
        return None;
    };
    let mut read_only = false;
    for option in parts
        .next()
        .into_iter()
        .flat_map(|options| options.split(','))
    {
        match option {
            "ro" => read_only = true,
            // Labels and caching modes of other engines change nothing here.
            "rw" | "z" | "Z" | "cached" | "delegated" | "consistent" => {}
            _ => {
                reader.refuse(
                    value,
                    "an option of the mount is not supported",
                    "use ro or rw",
                );
                return None;
            }
        }
    }
    let target = target(reader, value, target_text)?;
    bind(reader, value, source, target, read_only, surroundings)
}

/// The long form: `type`, `source`, `target`, `read_only`.
fn long(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<Mount> {
    let (mut kind, mut source, mut goal, mut read_only) = (None, None, None, false);
    for (key, field) in reader.entries(value) {
        match key {
            "type" => kind = Some((reader.text(&field)?, field)),
            "source" => source = Some((reader.text(&field)?, field)),
            "target" => {
                let text = reader.text(&field)?;
                goal = Some(target(reader, &field, &text)?);
            }
            "read_only" => read_only = reader.flag(&field)?,
            _ => {
                let known = "known keys: type, source, target, read_only";
                reader.refuse_key(&field, format!("the key `{key}` is not known here"), known);
                return None;
            }
        }
    }
    let (Some((kind, kind_field)), Some(goal)) = (kind, goal) else {
        reader.refuse(
            value,
            "the type or the target of the mount is missing",
            "write both `type` and `target`",
        );
        return None;
    };
    match (kind.as_str(), source) {
        ("bind", Some((source, field))) => {
            bind(reader, &field, &source, goal, read_only, surroundings)
        }
        ("bind", None) => {
            reader.refuse(value, "the mount has no source", "write `source`");
            None
        }
        ("tmpfs", None) if !read_only => Some(plain_tmpfs(goal)),
        _ => {
            reader.refuse(
                &kind_field,
                "only bind mounts, and temporary file systems without a source, are supported",
                "bind the mount path of a data volume of the contract (`type: bind`), or use `type: tmpfs`",
            );
            None
        }
    }
}

/// A path in the container.
fn target(reader: &mut Reader<'_>, value: &Value<'_>, text: &str) -> Option<String> {
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

fn bind(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    source: &str,
    target: String,
    read_only: bool,
    surroundings: &Surroundings<'_>,
) -> Option<Mount> {
    const REMEDY: &str = "bind the mount path of a data volume of the contract, a file of the archive (`./file`), or \
         /var/hyperprotect";
    if source.starts_with('/') {
        let source = reader.accept(value, paths::absolute(source), REMEDY)?;
        let is_attestation = paths::is_within(&source, ATTESTATION);
        if !is_attestation
            && !surroundings
                .volumes
                .iter()
                .any(|volume| paths::is_within(&source, volume))
        {
            reader.refuse(
                value,
                "this path of the guest is not open to containers",
                REMEDY,
            );
            return None;
        }
        return Some(Mount::Bind {
            source,
            target,
            read_only: read_only || is_attestation,
        });
    }
    if source != "." && !source.starts_with("./") {
        reader.refuse(
            value,
            "named volumes are not supported, nor paths outside of the archive",
            REMEDY,
        );
        return None;
    }
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
    Some(Mount::File {
        source,
        target,
        read_only,
    })
}
