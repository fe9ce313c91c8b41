//! `configs` and `secrets`: small files that the compose file declares once and services mount read-only.
//!
//! They come from the archive, from the compose file itself, or from a variable of the contract. What lies outside of the
//! contract is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::super::reader::{Reader, Value};
use super::super::sources::{self, Files, Source};
use super::super::{Surroundings, values};
use crate::plan::{File, Mount};
use crate::secret::ExposeSecret as _;

/// Permissions where none are named: Compose's.
const MODE: u32 = 0o444;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `configs`.
    Config,
    /// `secrets`.
    Secret,
}

impl Kind {
    fn folder(self) -> &'static str {
        match self {
            Self::Config => "configs",
            Self::Secret => "secrets",
        }
    }

    /// Where it is mounted when its service does not say, or says a relative path.
    fn target(self, name: &str) -> String {
        match self {
            Self::Config => format!("/{name}"),
            Self::Secret => format!("/run/secrets/{name}"),
        }
    }
}

/// What a name stands for.
enum Content {
    Archive(Source),
    Bytes(Arc<Zeroizing<Vec<u8>>>),
}

/// The `configs` or `secrets` of a compose file.
pub(super) struct Declared<'a> {
    kind: Kind,
    contents: BTreeMap<String, Option<Content>>,
    surroundings: Surroundings<'a>,
}

/// Reads the declarations.
pub(super) fn declared<'a>(
    reader: &mut Reader<'_>,
    kind: Kind,
    value: Option<&Value<'_>>,
    surroundings: Surroundings<'a>,
) -> Declared<'a> {
    let mut contents = BTreeMap::new();
    for (name, value) in value.map(|value| reader.entries(value)).unwrap_or_default() {
        if values::is_service_name(name) {
            contents.insert(
                name.to_owned(),
                content(reader, kind, &value, &surroundings),
            );
        } else {
            reader.refuse_key(
                &value,
                "it cannot have this name",
                "begin with a letter or digit and use at most 48 letters, digits, `_`, `.` and `-`",
            );
        }
    }
    Declared {
        kind,
        contents,
        surroundings,
    }
}

fn content(
    reader: &mut Reader<'_>,
    kind: Kind,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<Content> {
    let sources = match kind {
        Kind::Config => "file, content, environment",
        Kind::Secret => "file, environment",
    };
    let (mut found, mut is_refused) = (Vec::new(), false);
    for (key, field) in reader.entries(value) {
        match key {
            "file" => found.push(archived(reader, &field, surroundings)),
            "content" if kind == Kind::Config => {
                let text = reader.text(&field);
                found.push(text.map(|text| Content::Bytes(bytes(&text))));
            }
            "environment" => found.push(variable(reader, &field, surroundings)),
            "name" | "labels" => {}
            "external" if reader.flag(&field) != Some(true) => {}
            "external" | "driver" | "driver_opts" | "template_driver" => {
                is_refused = true;
                reader.refuse_key(
                    &field,
                    format!("`{key}` is not supported: nothing outside of the contract is known to the guest"),
                    "put the file into the archive (`file: ./NAME`), or take a variable (`environment: NAME`)",
                );
            }
            _ => reader.unknown(&field, key, &format!("{sources}, name, labels")),
        }
    }
    if found.len() != 1 && !is_refused {
        reader.refuse(
            value,
            "it is not said once where the content comes from",
            format!("write one of: {sources}"),
        );
    }
    found.pop().flatten()
}

fn archived(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<Content> {
    let path = reader.text(value)?;
    if path.starts_with('/') {
        let remedy = "put the file into the archive and write `./NAME`";
        reader.refuse(value, "the file lies outside of the archive", remedy);
        return None;
    }
    Some(Content::Archive(sources::path(
        reader,
        value,
        &path,
        true,
        surroundings,
    )?))
}

fn variable(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Option<Content> {
    let name = reader.text(value)?;
    if let Some(text) = surroundings.variables.get(name.as_str()) {
        Some(Content::Bytes(bytes(text.expose_secret())))
    } else if surroundings.is_open {
        reader.not_known();
        None
    } else {
        reader.refuse(
            value,
            format!("the variable {} has no value", name.as_str()),
            "set it in the `env` of the workload or the env section",
        );
        None
    }
}

fn bytes(text: &str) -> Arc<Zeroizing<Vec<u8>>> {
    Arc::new(Zeroizing::new(text.as_bytes().to_vec()))
}

impl Declared<'_> {
    /// Reads what a service mounts of them.
    pub(super) fn mounts(
        &self,
        reader: &mut Reader<'_>,
        value: &Value<'_>,
        files: &mut Files,
    ) -> Vec<Mount> {
        let items = reader.items(value);
        items
            .iter()
            .filter_map(|item| self.mount(reader, item, files))
            .collect()
    }

    fn mount(&self, reader: &mut Reader<'_>, item: &Value<'_>, files: &mut Files) -> Option<Mount> {
        let (mut name, mut goal, mut mode) = (None, None, None);
        if item.is_mapping() {
            for (key, field) in reader.entries(item) {
                match key {
                    "source" => name = Some((reader.text(&field)?, field)),
                    "target" => goal = Some((reader.text(&field)?, field)),
                    "mode" => mode = Some(reader.mode(&field)?),
                    "uid" | "gid" => reader.refuse_key(
                        &field,
                        format!("`{key}` is not supported: the file belongs to root"),
                        "let `mode` say who may read it (0444: everybody)",
                    ),
                    _ => reader.unknown(&field, key, "source, target, mode"),
                }
            }
        } else {
            name = Some((reader.text(item)?, item.clone()));
        }
        let Some((name, at)) = name else {
            reader.refuse(item, "the source is missing", "write `source`");
            return None;
        };
        let Some(content) = self.contents.get(name.as_str()) else {
            let cause = format!("nothing of this name stands under `{}`", self.kind.folder());
            reader.refuse(&at, cause, "declare it at the top of the compose file");
            return None;
        };
        let target = match &goal {
            Some((text, field)) if text.starts_with('/') => sources::target(reader, field, text)?,
            Some((text, field)) => sources::target(reader, field, &self.kind.target(text))?,
            None => self.kind.target(&name),
        };
        let source = self.source(&name, content.as_ref()?, mode, files);
        Some(source.at(target, true))
    }

    /// The file to mount: one of the archive as it is, or one written out with its permissions.
    fn source(
        &self,
        name: &str,
        content: &Content,
        mode: Option<u32>,
        files: &mut Files,
    ) -> Source {
        let bytes = match (content, mode) {
            (Content::Archive(source), None) => return source.clone(),
            (Content::Archive(source), Some(_)) => {
                let file = source
                    .archived()
                    .and_then(|path| self.surroundings.files.get(path));
                // A folder keeps the permissions of its files.
                let Some(file) = file else {
                    return source.clone();
                };
                Arc::clone(&file.bytes)
            }
            (Content::Bytes(bytes), _) => Arc::clone(bytes),
        };
        let mode = mode.unwrap_or(MODE);
        let path = format!("{}/{mode:o}/{name}", self.kind.folder());
        files.add(&path, File { bytes, mode })
    }
}
