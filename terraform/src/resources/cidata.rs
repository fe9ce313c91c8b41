//! `hpcr_cidata`: the seed disk, an ISO 9660 image labelled `cidata`, as a file and as base64.
//!
//! The same files make the same image, so a plan tells its digest before anything is made. The file belongs to the
//! resource: when it is gone or changed it is made anew, and it goes with the resource. What somebody else has put at
//! its path is neither replaced nor removed.

use std::fs;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpcr_contract::network;
use hpcr_contract::seed::Seed;
use hpcr_image::seed;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Stage, at};
use crate::files;
use crate::findings;
use crate::resource::recipe::{Made, Recipe};
use crate::resource::{Change, Failed, Outcome, Resource};
use crate::schema::{Attribute, Schema};
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// No image is larger.
const MAX_IMAGE: u64 = 32 << 20;

/// The resource.
pub(crate) static CIDATA: Cidata = Cidata(Made(Image));

/// The image, and the file that holds it.
pub(crate) struct Cidata(Made<Image>);

/// The image.
struct Image;

impl Recipe for Image {
    fn name(&self) -> &'static str {
        "hpcr_cidata"
    }

    fn schema(&self) -> Schema {
        let optional = |name, description| Attribute::optional(name, Kind::Text, description);
        let computed = |name, description| Attribute::computed(name, Kind::Text, description);
        Schema {
            description: "The seed disk of a guest: an ISO 9660 image labelled `cidata` with the contract.",
            attributes: vec![
                Attribute::required("user_data", Kind::Text, "The contract.").sensitive(),
                optional(
                    "meta_data",
                    "cloud-init meta-data, as in `local-hostname: web`.",
                ),
                optional(
                    "network_config",
                    "cloud-init network-config, version 2. Without it the guest asks DHCP.",
                ),
                optional(
                    "vendor_data",
                    "cloud-init vendor-data. The guest does not read it.",
                ),
                optional("path", "Where to write the image."),
                computed("base64", "The image, base64.").sensitive(),
                computed(
                    "sha256",
                    "SHA-256 of the image, hexadecimal: changes when the image does.",
                ),
            ],
        }
    }

    fn check(&self, config: &Object, _: &Context) -> Vec<Diagnostic> {
        let Some(text) = text(config, "network_config") else {
            return Vec::new();
        };
        let findings = network::parse(text.as_bytes(), "network_config").err();
        findings::in_text(&findings.unwrap_or_default(), "network_config")
    }

    fn foresee(&self, config: &Object, context: &Context) -> Result<Object, Failed> {
        if INPUTS
            .iter()
            .any(|name| config.get(*name).is_some_and(Value::has_unknown))
        {
            return Ok(Object::new());
        }
        self.make(config, context)
    }

    fn make(&self, config: &Object, _: &Context) -> Result<Object, Failed> {
        let file = |name| text(config, name).map(str::as_bytes);
        let seed = Seed {
            user_data: file("user_data").unwrap_or_default(),
            meta_data: file("meta_data"),
            vendor_data: file("vendor_data"),
            network_config: file("network_config"),
        };
        let image = seed
            .to_iso()
            .map_err(|error| vec![Diagnostic::of(&error, Path::of("user_data"))])?;
        let outputs = [
            ("base64", Value::text(STANDARD.encode(&*image))),
            ("sha256", Value::text(digest(&image))),
        ];
        Ok(outputs.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

/// What the image is made of.
const INPUTS: [&str; 4] = ["user_data", "meta_data", "network_config", "vendor_data"];

impl Resource for Cidata {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn schema(&self) -> Schema {
        self.0.schema()
    }

    fn check(&self, config: &Object, context: &Context) -> Vec<Diagnostic> {
        self.0.check(config, context)
    }

    fn plan(&self, change: &Change<'_>) -> Result<Outcome, Failed> {
        let mut outcome = self.0.plan(change)?;
        // Until then it may go.
        let taken = taken(&outcome.state, change.prior).map(|one| one.since(Stage::Apply));
        outcome
            .warnings
            .extend(at(Stage::Plan, taken.into_iter().collect()));
        Ok(outcome)
    }

    fn apply(&self, change: &Change<'_>) -> Result<Outcome, Failed> {
        let outcome = self.0.apply(change)?;
        let path = path(&outcome.state);
        if let Some(path) = path {
            let image = text(&outcome.state, "base64").unwrap_or_default();
            let image = STANDARD.decode(image).map(Zeroizing::new).map_err(|_| {
                let summary = "The image in the state is no base64";
                let detail = "Make it anew: `terraform apply -replace` of this resource.";
                vec![Diagnostic::error(Path::of("base64"), summary, detail)]
            })?;
            if let Some(taken) = taken(&outcome.state, change.prior) {
                return Err(vec![taken]);
            }
            write(FilePath::new(path), &image).map_err(|error| {
                let summary = "The seed disk cannot be written";
                let detail =
                    format!("{error}. Name a file in a folder that Terraform may write to.");
                vec![Diagnostic::error(Path::of("path"), summary, detail)]
            })?;
        }
        let former = change.prior.filter(|prior| self::path(prior) != path);
        if let Some(former) = former {
            let stays = self.delete(former);
            if !stays.is_empty() {
                return Err(stays);
            }
        }
        Ok(outcome)
    }

    /// A file that is gone, or holds something else, is made anew.
    fn read(&self, state: Object) -> Result<Option<Object>, Failed> {
        let is_there = written(&state).is_none_or(|(path, sha256)| holds(&path, &sha256));
        Ok(is_there.then_some(state))
    }

    fn delete(&self, state: &Object) -> Vec<Diagnostic> {
        // What somebody else has put there since is not ours to remove.
        let ours = written(state).filter(|(path, sha256)| holds(path, sha256));
        let removed = ours.map_or(Ok(()), |(path, _)| fs::remove_file(path));
        let error = removed
            .err()
            .filter(|error| error.kind() != io::ErrorKind::NotFound);
        error
            .map(|error| {
                let detail = format!("{error}. Remove it, and apply again.");
                Diagnostic::error(Path::of("path"), "The seed disk cannot be removed", detail)
            })
            .into_iter()
            .collect()
    }
}

fn text<'o>(object: &'o Object, name: &str) -> Option<&'o str> {
    object.get(name)?.as_text()
}

/// Where the image is to lie. As everywhere, what is empty is not given.
fn path(state: &Object) -> Option<&str> {
    text(state, "path").filter(|path| !path.is_empty())
}

/// That somebody else's file lies where the image is to be written.
fn taken(state: &Object, prior: Option<&Object>) -> Option<Diagnostic> {
    let path = path(state)?;
    let mut seeds = [Some(state), prior]
        .into_iter()
        .flatten()
        .filter_map(written);
    let is_seed =
        |(at, sha256): (PathBuf, String)| at == FilePath::new(path) && holds(&at, &sha256);
    (fs::symlink_metadata(path).is_ok() && !seeds.any(is_seed)).then(|| {
        let summary = "Something else lies where the seed disk is to be written";
        let detail = format!(
            "{path} is there, and is no seed disk of this resource. Move it away, or name another path."
        );
        Diagnostic::error(Path::of("path"), summary, detail)
    })
}

/// The file of a state, and the digest of what was written into it.
fn written(state: &Object) -> Option<(PathBuf, String)> {
    Some((path(state)?.into(), text(state, "sha256")?.to_owned()))
}

/// Whether a file is an image; what cannot be one, a device or something larger, is not read.
fn holds(path: &FilePath, sha256: &str) -> bool {
    let can_be = fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_IMAGE);
    can_be && files::read(path, MAX_IMAGE).is_ok_and(|image| digest(&image) == sha256)
}

pub(super) fn digest(image: &[u8]) -> String {
    hex::encode(Sha256::digest(image))
}

/// Writes the image, and makes the folders that it is to lie in.
fn write(path: &FilePath, image: &[u8]) -> Result<(), hpcr_image::Error> {
    let folder = path.parent().filter(|folder| *folder != FilePath::new(""));
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    made.map_err(|source| hpcr_image::Error::Io {
        action: "create the folder of",
        path: path.into(),
        source,
    })?;
    seed::write(path, image)
}

#[cfg(test)]
mod tests;
