//! The volumes of a Pod, and what a container mounts of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::super::reader::{Reader, Value};
use super::super::sources::{self, Files, Source};
use super::super::{amounts, checks, paths};
use super::spec::Around;
use super::{fields, keys, names, refused};
use crate::plan::{File, Mount};

/// Permissions of a ConfigMap's files where none are named.
const MODE: u32 = 0o644;
/// The most bytes of a ConfigMap's keys in one volume: Kubernetes keeps no larger map than 1 MiB.
const MOST_PROJECTED: usize = 4 << 20;

/// A volume of a Pod.
pub(super) enum Volume {
    Source(Source),
    /// The files of a ConfigMap, by the path that they have there.
    ConfigMap(BTreeMap<String, File>),
    Memory(Option<u64>),
    /// A folder on the scratch disk.
    Scratch,
}

/// The volumes of a Pod by name; none where one is wrong.
pub(super) type Volumes = BTreeMap<String, Option<Volume>>;

/// Reads `volumes`.
pub(super) fn read(reader: &mut Reader<'_>, value: &Value<'_>, around: &Around<'_>) -> Volumes {
    let mut volumes = Volumes::new();
    for item in reader.items(value) {
        let (mut name, mut kinds) = (None, Vec::new());
        // `emptyDir:` alone says what it is.
        for (key, field) in fields::with_nulls(reader, &item, &keys::VOLUME) {
            if key == "name" {
                name = reader.parsed(&field, names::label, names::NAME);
            } else {
                kinds.push((key, field));
            }
        }
        if kinds.len() > 1 {
            kinds.retain(|(_, field)| !field.is_null());
        }
        let volume = if let [(kind, field)] = kinds.as_slice() {
            one(reader, kind, field, around)
        } else {
            let cause = "it is not said once what the volume is";
            reader.refuse(
                &item,
                cause,
                "write one of hostPath, emptyDir and configMap",
            );
            None
        };
        match name {
            Some(name) if volumes.contains_key(&name) => {
                let cause = "another volume has the same name";
                reader.refuse(&item, cause, "give every volume a name of its own");
            }
            Some(name) => drop(volumes.insert(name, volume)),
            None if fields::get(item.node, "name").is_none() => {
                reader.refuse(&item, "the name is missing", "write `name`");
            }
            None => {}
        }
    }
    volumes
}

fn one(
    reader: &mut Reader<'_>,
    kind: &str,
    value: &Value<'_>,
    around: &Around<'_>,
) -> Option<Volume> {
    match kind {
        "hostPath" => host_path(reader, value, around).map(Volume::Source),
        "emptyDir" => empty(reader, value),
        "configMap" => config_map(reader, value, around).map(Volume::ConfigMap),
        _ if refused::VOLUMES.contains(&kind) => {
            let cause = format!("a volume of the type `{kind}` is not supported");
            let remedy = "use hostPath on the mount path of a data volume of the contract, emptyDir, or a configMap";
            reader.refuse_key(value, cause, remedy);
            None
        }
        _ => {
            keys::VOLUME.refuse(reader, value, kind);
            None
        }
    }
}

fn host_path(reader: &mut Reader<'_>, value: &Value<'_>, around: &Around<'_>) -> Option<Source> {
    let mut path = None;
    for (key, field) in fields::of(reader, value, &keys::HOST_PATH) {
        match key {
            "path" => path = Some((reader.text(&field)?, field)),
            "type" => {
                // What is missing in a data volume is made as a folder.
                let known = |text: &str| match text {
                    "" | "Directory" | "DirectoryOrCreate" | "File" => Ok(()),
                    _ => Err("this type of path is not supported"),
                };
                reader.parsed(
                    &field,
                    known,
                    "write Directory, DirectoryOrCreate or File, or remove it",
                )?;
            }
            _ => keys::HOST_PATH.refuse(reader, &field, key),
        }
    }
    let Some((path, at)) = path else {
        reader.refuse(value, "the path is missing", "write `path`");
        return None;
    };
    // Each mount says for itself whether it writes.
    sources::path(reader, &at, &path, true, around.surroundings)
}

fn empty(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Volume> {
    let (mut is_memory, mut limit) = (false, None);
    for (key, field) in fields::of(reader, value, &keys::EMPTY_DIR) {
        match key {
            "medium" => {
                let medium = |text: &str| match text {
                    "" => Ok(false),
                    "Memory" => Ok(true),
                    _ => Err("this medium is not known"),
                };
                is_memory = reader.parsed(&field, medium, "write Memory, or remove it")?;
            }
            "sizeLimit" => {
                let bytes = reader.decimal(&field, amounts::quantity_bytes, "write 64Mi")?;
                limit = Some((bytes, field));
            }
            _ => keys::EMPTY_DIR.refuse(reader, &field, key),
        }
    }
    match (is_memory, limit) {
        (true, limit) => Some(Volume::Memory(limit.map(|(bytes, _)| bytes))),
        (false, None) => Some(Volume::Scratch),
        (false, Some((_, field))) => {
            let cause = "the size of a folder on the scratch disk cannot be limited";
            reader.refuse_key(&field, cause, "remove it, or write `medium: Memory`");
            None
        }
    }
}

fn config_map(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    around: &Around<'_>,
) -> Option<BTreeMap<String, File>> {
    let (mut name, mut items, mut mode, mut is_optional) = (None, None, MODE, false);
    for (key, field) in fields::of(reader, value, &keys::CONFIG_MAP_VOLUME) {
        match key {
            "name" => name = Some(reader.text(&field)?),
            "items" => items = Some(reader.items(&field)),
            "defaultMode" => mode = reader.mode(&field)?,
            "optional" => is_optional = reader.flag(&field)?,
            _ => keys::CONFIG_MAP_VOLUME.refuse(reader, &field, key),
        }
    }
    let Some(name) = name else {
        reader.refuse(value, "the name is missing", "write `name`");
        return None;
    };
    let Some(map) = around.config_maps.get(&name) else {
        if is_optional {
            return Some(BTreeMap::new());
        }
        if around.config_maps.may_have(&name) {
            reader.not_known();
            return None;
        }
        let cause = "there is no such ConfigMap";
        reader.refuse(
            value,
            cause,
            "write it into `play`, take contract.config.map, or write `optional: true`",
        );
        return None;
    };
    let file = |bytes: &Arc<Zeroizing<Vec<u8>>>, mode| File {
        bytes: Arc::clone(bytes),
        mode,
    };
    let Some(items) = items else {
        let files = map
            .iter()
            .map(|(key, item)| (key.clone(), file(&item.bytes, mode)));
        return Some(files.collect());
    };
    let (mut files, mut taken) = (BTreeMap::new(), 0_usize);
    for item in items {
        if taken > MOST_PROJECTED {
            reader.refuse(
                &item,
                "the items of this volume take more than 4 MiB",
                "name each key once",
            );
            break;
        }
        let (mut key, mut path, mut own) = (None, None, mode);
        for (name, field) in fields::of(reader, &item, &keys::CONFIG_MAP_ITEM) {
            match name {
                "key" => key = Some(reader.text(&field)?),
                "path" => {
                    path = Some(reader.parsed(&field, folder_path, "write a relative path")?);
                }
                "mode" => own = reader.mode(&field)?,
                _ => keys::CONFIG_MAP_ITEM.refuse(reader, &field, name),
            }
        }
        let bytes = key.and_then(|key| Some(&map.get(key.as_str())?.bytes));
        match (bytes, path) {
            (Some(bytes), Some(path)) => {
                taken = taken.saturating_add(bytes.len());
                files.insert(path, file(bytes, own));
            }
            (None, Some(_)) if is_optional => {}
            (None, Some(_)) if around.config_maps.may_have(&name) => reader.not_known(),
            _ => reader.refuse(
                &item,
                "the ConfigMap has no such key, or the path is missing",
                "write `key`, one of the ConfigMap, and `path`",
            ),
        }
    }
    Some(files)
}

/// A relative path that is not the top.
fn folder_path(text: &str) -> Result<String, &'static str> {
    match paths::relative(text)? {
        path if path.is_empty() => Err("the path is empty"),
        path => Ok(path),
    }
}

/// What a mount of a Pod is called by: `POD-VOLUME`.
pub(super) struct Mounted<'a> {
    pub(super) pod: &'a str,
    pub(super) volumes: &'a Volumes,
    /// How many containers mount each volume.
    pub(super) uses: &'a BTreeMap<String, usize>,
}

impl Mounted<'_> {
    /// Reads an item of `volumeMounts`.
    pub(super) fn mount(
        &self,
        reader: &mut Reader<'_>,
        item: &Value<'_>,
        files: &mut Files,
        is_read_only: bool,
    ) -> Option<Mount> {
        let (mut name, mut goal, mut below, mut read_only) = (None, None, None, false);
        let mut asked = sources::Options::default();
        for (key, field) in fields::of(reader, item, &keys::MOUNT) {
            match key {
                "name" => name = Some((reader.text(&field)?, field)),
                "mountPath" => {
                    let text = reader.text(&field)?;
                    // Podman takes options behind the path.
                    let (path, options) = text
                        .split_once(':')
                        .map_or((text.as_str(), None), |(path, options)| {
                            (path, Some(options))
                        });
                    asked = sources::options(reader, &field, options)?;
                    goal = Some(sources::target(reader, &field, path)?);
                }
                "subPath" => {
                    let path = reader.parsed(&field, paths::relative, "write a relative path")?;
                    below = (!path.is_empty()).then_some((path, field));
                }
                "readOnly" => read_only = reader.flag(&field)?,
                "mountPropagation" if field.node.text() == Some("None") => {}
                "recursiveReadOnly" if field.node.text() == Some("Disabled") => {}
                "mountPropagation" | "recursiveReadOnly" | "subPathExpr" => reader.refuse_key(
                    &field,
                    format!("`{key}` is not supported"),
                    "remove it: a mount is private to its container; write `subPath` out",
                ),
                _ => keys::MOUNT.refuse(reader, &field, key),
            }
        }
        let (Some((name, at)), Some(target)) = (name, goal) else {
            reader.refuse(
                item,
                "the name or the path is missing",
                "write both `name` and `mountPath`",
            );
            return None;
        };
        let read_only = read_only || asked.read_only;
        let Some(volume) = self.volumes.get(name.as_str()) else {
            let cause = "the Pod has no volume of this name";
            reader.refuse(&at, cause, "declare it under `volumes` of the Pod");
            return None;
        };
        match volume.as_ref()? {
            Volume::Source(source) => {
                let source = match below {
                    Some((path, _)) => source.clone().below(&path),
                    None => source.clone(),
                };
                let mount = source.at(target, read_only);
                asked.told(reader, item, &mount);
                Some(mount)
            }
            Volume::ConfigMap(content) => {
                let below = below.as_ref().map(|(path, field)| (path.as_str(), field));
                self.config_map(reader, &name, content, below, target, files)
            }
            Volume::Scratch | Volume::Memory(_) if below.is_some() => {
                let cause = "a part of an empty folder cannot be mounted";
                reader.refuse(
                    item,
                    cause,
                    "remove `subPath`, and use a volume of its own for each part",
                );
                None
            }
            Volume::Scratch => {
                checks::temporary(reader, item, &target, is_read_only);
                Some(Mount::Shared {
                    name: format!("{}_{}", self.pod, name.as_str()),
                    target,
                    read_only,
                })
            }
            Volume::Memory(_)
                if read_only || self.uses.get(name.as_str()).is_some_and(|uses| *uses > 1) =>
            {
                let cause = "a folder in memory belongs to one container, which may write it";
                reader.refuse(item, cause, "remove `medium: Memory`: the scratch disk is encrypted, and empty at each boot");
                None
            }
            Volume::Memory(bytes) => {
                checks::temporary(reader, item, &target, is_read_only);
                Some(Mount::Tmpfs {
                    target,
                    bytes: *bytes,
                    mode: Some(0o777),
                })
            }
        }
    }

    fn config_map(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        content: &BTreeMap<String, File>,
        below: Option<(&str, &Value<'_>)>,
        target: String,
        files: &mut Files,
    ) -> Option<Mount> {
        if content.is_empty() {
            return Some(Mount::Tmpfs {
                target,
                bytes: None,
                mode: None,
            });
        }
        let folder = format!("configmaps/{}/{name}", self.pod);
        for (path, file) in content {
            files.add(&format!("{folder}/{path}"), file.clone());
        }
        let source = Files::folder(&folder);
        let source = match below {
            None => source,
            Some((path, _)) if content.keys().any(|file| paths::is_within(file, path)) => {
                source.below(path)
            }
            Some((_, field)) => {
                reader.refuse(
                    field,
                    "the ConfigMap has no such file",
                    "name one of its keys or paths",
                );
                return None;
            }
        };
        Some(source.at(target, true))
    }
}
