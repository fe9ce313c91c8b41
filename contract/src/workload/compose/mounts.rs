//! `volumes` and `tmpfs` of a service: data volumes, files of the archive, the attestation folder, and temporary file
//! systems. Named and anonymous volumes are refused: nothing would be kept.

use super::super::reader::{Reader, Value};
use super::super::{Surroundings, amounts, checks, sources, values};
use crate::plan::Mount;

const REMEDY: &str = "bind the mount path of a data volume of the contract, a file of the archive (`./file`), or \
     /var/hyperprotect";

/// Reads `volumes`, short and long, of a service whose own files can be read only, or written to, too.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
    is_read_only: bool,
) -> Vec<Mount> {
    let items = reader.items(value);
    items
        .iter()
        .filter_map(|item| {
            if item.is_mapping() {
                long(reader, item, surroundings, is_read_only)
            } else {
                short(reader, item, surroundings)
            }
        })
        .collect()
}

/// Reads `tmpfs`: `/path` or `/path:size=64m,mode=0700`.
pub(super) fn tmpfs(reader: &mut Reader<'_>, value: &Value<'_>, is_read_only: bool) -> Vec<Mount> {
    let items = reader.one_or_many(value);
    items
        .iter()
        .filter_map(|item| {
            let text = reader.text(item)?;
            let (path, options) = text.split_once(':').unwrap_or((&text, ""));
            let target = sources::target(reader, item, path)?;
            checks::temporary(reader, item, &target, is_read_only);
            let (mut bytes, mut mode) = (None, None);
            for option in options.split(',').filter(|option| !option.is_empty()) {
                let outcome = match option.split_once('=') {
                    Some(("size", size)) => {
                        amounts::compose_bytes(size).map(|size| bytes = Some(size))
                    }
                    Some(("mode", text)) => values::mode(text).map(|text| mode = Some(text)),
                    // Every temporary file system is mounted so.
                    None if matches!(option, "rw" | "nosuid" | "nodev" | "noexec") => Ok(()),
                    _ => Err("an option of the temporary file system is not supported"),
                };
                reader.accept(
                    item,
                    outcome,
                    "use size=64m and mode=0700, separated by commas",
                )?;
            }
            Some(Mount::Tmpfs {
                target,
                bytes,
                mode,
            })
        })
        .collect()
}

/// `source:target[:options]`.
fn short(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<Mount> {
    let text = reader.text(value)?;
    let mut parts = text.splitn(3, ':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
        reader.refuse(
            value,
            "a volume without a source would be lost at power-off",
            "use `tmpfs`, or bind the mount path of a data volume of the contract",
        );
        return None;
    };
    let options = sources::options(reader, value, parts.next())?;
    let target = sources::target(reader, value, target)?;
    let mount = bind(
        reader,
        value,
        source,
        target,
        options.read_only,
        surroundings,
    )?;
    options.told(reader, value, &mount);
    Some(mount)
}

/// The long form: `type`, `source`, `target`, `read_only`, and what its type has beside.
fn long(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
    is_read_only: bool,
) -> Option<Mount> {
    let (mut kind, mut source, mut goal, mut read_only) = (None, None, None, false);
    let (mut bytes, mut mode, mut options) = (None, None, None);
    for (key, field) in reader.entries(value) {
        match key {
            "type" => kind = Some((reader.text(&field)?, field)),
            "source" => source = Some((reader.text(&field)?, field)),
            "target" => {
                let text = reader.text(&field)?;
                goal = Some(sources::target(reader, &field, &text)?);
            }
            "read_only" => read_only = reader.flag(&field)?,
            "bind" => bind_options(reader, &field),
            "tmpfs" => {
                (bytes, mode) = tmpfs_options(reader, &field);
                options = Some(field);
            }
            // A hint to engines whose files lie on another machine.
            "consistency" => {}
            _ => {
                let known = "type, source, target, read_only, bind, tmpfs, consistency";
                reader.unknown(&field, key, known);
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
    match (kind.as_str(), source, options) {
        ("bind", Some((source, field)), None) => {
            bind(reader, &field, &source, goal, read_only, surroundings)
        }
        ("bind", None, None) => {
            reader.refuse(value, "the mount has no source", "write `source`");
            None
        }
        ("tmpfs", None, _) if !read_only => {
            checks::temporary(reader, value, &goal, is_read_only);
            Some(Mount::Tmpfs {
                target: goal,
                bytes,
                mode,
            })
        }
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

/// `bind`: a missing folder is never made, and nothing is mounted below another's mount.
fn bind_options(reader: &mut Reader<'_>, value: &Value<'_>) {
    for (key, field) in reader.entries(value) {
        match key {
            // A source that is not there stops the workload, which is what `false` asks for.
            "create_host_path" if reader.flag(&field) != Some(true) => {}
            "propagation" if field.node.text() == Some("rprivate") => {}
            "selinux" => {}
            "create_host_path" | "propagation" | "recursive" => reader.refuse_key(
                &field,
                format!("`{key}` is not supported"),
                "remove it: a mount is private, and its source must be there",
            ),
            _ => reader.unknown(&field, key, "create_host_path, propagation, selinux"),
        }
    }
}

/// `tmpfs`: size and permissions.
fn tmpfs_options(reader: &mut Reader<'_>, value: &Value<'_>) -> (Option<u64>, Option<u32>) {
    let (mut bytes, mut mode) = (None, None);
    for (key, field) in reader.entries(value) {
        match key {
            "size" => bytes = reader.parsed(&field, amounts::compose_bytes, "write 64m"),
            "mode" => mode = reader.mode(&field),
            _ => reader.unknown(&field, key, "size, mode"),
        }
    }
    (bytes, mode)
}

fn bind(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    source: &str,
    target: String,
    read_only: bool,
    surroundings: &Surroundings<'_>,
) -> Option<Mount> {
    let is_path = source.starts_with(['/', '.']) || source.starts_with('~');
    if !is_path {
        reader.refuse(
            value,
            "a named volume would be lost at power-off",
            "declare it under `volumes` of both sections and bind its mount path (`/mnt/data/...`)",
        );
        return None;
    }
    if source != "." && !source.starts_with("./") && !source.starts_with('/') {
        reader.refuse(value, "the path lies outside of the archive", REMEDY);
        return None;
    }
    Some(sources::path(reader, value, source, read_only, surroundings)?.at(target, read_only))
}
