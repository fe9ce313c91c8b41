//! `hpcr_image`: the newest image of a list that a cloud gave.

use semver::Version;
use serde_json::Value as Json;

use crate::context::Context;
use crate::data_source::{DataSource, Read};
use crate::diagnostic::Diagnostic;
use crate::schema::{Attribute, Schema};
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};
use crate::versions::{self, Range};

/// See the module.
pub(crate) struct Image;

impl DataSource for Image {
    fn name(&self) -> &'static str {
        "hpcr_image"
    }

    fn schema(&self) -> Schema {
        let computed = |name, description| Attribute::computed(name, Kind::Text, description);
        Schema {
            description: "The newest image of a list.",
            attributes: vec![
                Attribute::required(
                    "images",
                    Kind::Text,
                    "The list as JSON: jsonencode(data.ibm_is_images.all.images).",
                ),
                spec(),
                computed("image", "The identifier of the image."),
                computed("name", "The name of the image."),
                computed("sha256", "The checksum of the image."),
                computed("version", "The version of the image."),
            ],
        }
    }

    fn check(&self, config: &Object) -> Vec<Diagnostic> {
        let mut found: Vec<_> = range(config).err().into_iter().collect();
        if let Some(text) = config.get("images").and_then(Value::as_text) {
            found.extend(list(text).err());
        }
        found
    }

    fn read(&self, config: &Object, _: &Context) -> Read {
        let range = range(config).map_err(|found| vec![found])?;
        let text = config
            .get("images")
            .and_then(Value::as_text)
            .unwrap_or_default();
        let images = list(text).map_err(|found| vec![found])?;
        let fitting = images
            .iter()
            .filter_map(|image| Some((version(image)?, image)));
        let Some((version, image)) = versions::highest(fitting, &range) else {
            return Err(vec![Diagnostic::error(
                Path::of("images"),
                "No image fits",
                "Give a list with an available public s390x image of the container runtime whose version is in `spec`.",
            )]);
        };
        let outputs = [
            ("image", text_of(image, &["/id"])),
            ("name", text_of(image, &["/name"])),
            (
                "sha256",
                text_of(image, &["/checksum", "/file/checksums/sha256"]),
            ),
            ("version", Some(version.to_string())),
        ];
        let outputs = outputs
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.map_or(Value::Null, Value::text)));
        Ok((outputs.collect(), Vec::new()))
    }
}

/// The attribute that names a range of versions.
pub(super) fn spec() -> Attribute {
    let description = "The range of versions, such as >=1.0.14; all of them where it is not given.";
    Attribute::optional("spec", Kind::Text, description)
}

/// The range that a configuration names.
pub(super) fn range(config: &Object) -> Result<Range, Diagnostic> {
    let text = config.get("spec").and_then(Value::as_text).unwrap_or("*");
    Range::parse(text).ok_or_else(|| {
        Diagnostic::error(
            Path::of("spec"),
            "This is no range of versions",
            "Write *, 1.0.14, >=1.0.14, ~1.0.9, or >=1.0.8 <1.0.12.",
        )
    })
}

fn list(text: &str) -> Result<Vec<Json>, Diagnostic> {
    serde_json::from_str(text).map_err(|error: serde_json::Error| {
        Diagnostic::error(
            Path::of("images"),
            "This is no list of images",
            format!(
                "It stops being a JSON list at line {}, column {}. Write it with jsonencode().",
                error.line(),
                error.column()
            ),
        )
    })
}

/// The text at the first of several places.
fn text_of(image: &Json, pointers: &[&str]) -> Option<String> {
    let mut found = pointers
        .iter()
        .filter_map(|pointer| image.pointer(pointer)?.as_str());
    found.next().map(str::to_owned)
}

/// The version of an image of the container runtime that can be used; none of any other image.
fn version(image: &Json) -> Option<Version> {
    let is = |pointers: &[&str], expected| text_of(image, pointers).as_deref() == Some(expected);
    let is_ours = is(
        &["/architecture", "/operating_system/architecture"],
        "s390x",
    ) && is(&["/status"], "available")
        && is(&["/visibility"], "public");
    let system = text_of(image, &["/os", "/operating_system/name"])?;
    let release = system
        .strip_prefix("hyper-protect-")?
        .strip_suffix("-s390x-hpcr")?;
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !is_ours || release.is_empty() || !release.chars().all(is_word) {
        return None;
    }
    let name = text_of(image, &["/name"])?;
    let (major_minor, patch) = name
        .strip_prefix("ibm-hyper-protect-container-runtime-")?
        .split_once("-s390x-")?;
    let (major, minor) = major_minor.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    Some(Version::new(number(major)?, number(minor)?, number(patch)?))
}
