//! The envelope of a contract: which sections there are and how each is written.
//!
//! What is read here is what the host can read too: nothing is decrypted, and no section is looked into. The scalars are
//! kept exactly as they were read, because the signature is over them.

use std::fmt;

use zeroize::Zeroizing;

use crate::finding::{self, Finding, Place};
use crate::messages;
use crate::spelling;
use crate::token::openssl::{Prefix, is_token};
use crate::token::{age, is_sealed};
use crate::yaml::{Document, Kind, Origin};

/// The largest contract that is read.
pub const MAX_BYTES: usize = 32 << 20;

pub(crate) const KEYS: [&str; 4] = [
    "workload",
    "env",
    "attestationPublicKey",
    "envWorkloadSignature",
];

/// A parsed envelope.
#[derive(Debug)]
pub struct UserData {
    /// The workload section.
    pub(crate) workload: Part,
    /// The env section.
    pub(crate) env: Part,
    /// `attestationPublicKey`, as it was read.
    pub(crate) auditor: Option<Text>,
    /// `envWorkloadSignature`, as it was read.
    pub(crate) signature: Option<String>,
    /// Where the four keys stand, for findings.
    pub(crate) places: Places,
    /// Top-level keys that mean nothing to us.
    unknown: Vec<Finding>,
}

/// Places of the envelope's keys.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) workload: Place,
    pub(crate) env: Place,
    pub(crate) auditor: Place,
    pub(crate) signature: Place,
}

/// How a section is written.
#[derive(Debug)]
pub(crate) enum Part {
    /// A scalar: a token or YAML text, with its origin where it is a literal block.
    Text(Text, Option<Origin>),
    /// A mapping in place.
    Mapping(Document),
}

/// A scalar exactly as it was read; it wipes itself and does not print.
pub(crate) struct Text(pub(crate) Zeroizing<String>);

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Whether it is a token, which is one line however it is written.
    pub(crate) fn is_token(&self) -> bool {
        is_token(&self.0)
    }

    /// How a sealed text is sealed, in words.
    pub(crate) fn form(&self) -> &'static str {
        let prefixes = [Prefix::HyperProtectBasic, Prefix::ContractBasic];
        let names = prefixes.map(Prefix::as_str).into_iter();
        let prefix = names
            .into_iter()
            .find(|name| self.0.trim_ascii_start().starts_with(name));
        prefix.unwrap_or("age")
    }

    /// Whether it is sealed, in either form.
    pub(crate) fn is_sealed(&self) -> bool {
        is_sealed(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_sealed() { "sealed" } else { "text" })
    }
}

impl Part {
    pub(crate) fn text(&self) -> Option<&Text> {
        match self {
            Self::Text(text, _) => Some(text),
            Self::Mapping(_) => None,
        }
    }

    pub(crate) fn is_token(&self) -> bool {
        self.text().is_some_and(Text::is_token)
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.text().is_some_and(Text::is_sealed)
    }
}

/// An envelope as far as it can be read: a part that is missing or of the wrong kind is told, and left out.
pub(crate) struct Envelope {
    pub(crate) workload: Option<Part>,
    pub(crate) env: Option<Part>,
    auditor: Option<Text>,
    signature: Option<String>,
    pub(crate) places: Places,
    unknown: Vec<Finding>,
    /// What is wrong with it.
    pub(crate) findings: Vec<Finding>,
    /// It looks like a section on its own: what stands under `env` are then variables.
    pub(crate) is_section: bool,
}

impl Envelope {
    /// Reads an envelope; `name` is what findings call the file.
    ///
    /// # Errors
    /// Why it has no parts at all.
    pub(crate) fn read(bytes: &[u8], name: &str) -> Result<Self, Vec<Finding>> {
        let wrong = |cause: &str, remedy: &str| {
            vec![Finding::new(
                messages::INVALID_CONTRACT,
                Place::at(name, ""),
                cause,
                remedy,
            )]
        };
        if bytes.len() > MAX_BYTES {
            return Err(wrong(
                "the contract is larger than 32 MiB",
                "make it smaller; data belongs into images",
            ));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(wrong("the contract is not UTF-8 text", "save it as UTF-8"));
        };
        let mut document = Document::parse(text, name, messages::INVALID_CONTRACT)
            .map_err(|finding| vec![finding])?;
        let Kind::Mapping(entries) = &document.root().kind else {
            return Err(wrong(
                "the contract is not a mapping",
                "write the keys workload and env at its top level",
            ));
        };
        let unknown = entries
            .iter()
            .filter(|(key, _)| !KEYS.contains(&key.name.as_str()))
            .take(finding::MOST)
            .map(|(key, _)| {
                let place =
                    Place::at(name, &key.name).with_position(key.position.0, key.position.1);
                let place = place.with_length(key.length);
                Finding::warning(
                    messages::UNKNOWN_KEY,
                    place,
                    "the key means nothing here and is not read",
                    spelling::remedy(&key.name, &KEYS),
                )
            })
            .collect();

        let is_section = document.root().get("type").is_some();
        let mut findings = Vec::new();
        let places = Places {
            workload: document.place("/workload"),
            env: document.place("/env"),
            auditor: document.place("/attestationPublicKey"),
            signature: document.place("/envWorkloadSignature"),
        };
        let workload = part(&mut document, text, "workload", &mut findings);
        let env = part(&mut document, text, "env", &mut findings);
        let auditor = scalar(&mut document, "attestationPublicKey", &mut findings);
        let signature = scalar(&mut document, "envWorkloadSignature", &mut findings);
        Ok(Envelope {
            workload,
            env,
            auditor,
            signature: signature.map(|text| text.0.to_string()),
            places,
            unknown,
            findings,
            is_section,
        })
    }

    /// The parsed envelope, where nothing is wrong with it.
    fn whole(self) -> Result<UserData, Vec<Finding>> {
        match (self.workload, self.env) {
            (Some(workload), Some(env)) if self.findings.is_empty() => Ok(UserData {
                workload,
                env,
                auditor: self.auditor,
                signature: self.signature,
                places: self.places,
                unknown: self.unknown,
            }),
            _ => Err(self.findings),
        }
    }
}

impl UserData {
    /// Parses the envelope; `name` is what findings call the file.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Vec<Finding>> {
        Envelope::read(bytes, name)?.whole()
    }

    /// Whether any part of the contract is sealed.
    pub fn is_sealed(&self) -> bool {
        self.workload.is_sealed()
            || self.env.is_sealed()
            || self.auditor.as_ref().is_some_and(Text::is_sealed)
    }

    /// Top-level keys that mean nothing here: accepted, as the published schema does, and worth a word.
    pub fn unknown_keys(&self) -> &[Finding] {
        &self.unknown
    }
}

/// Whether bytes speak of something sealed anywhere, also where they are no contract at all.
pub fn mentions_sealed(bytes: &[u8]) -> bool {
    let tokens = [Prefix::HyperProtectBasic, Prefix::ContractBasic].map(Prefix::as_str);
    [tokens[0], tokens[1], age::BEGIN].iter().any(|begin| {
        bytes
            .windows(begin.len())
            .any(|window| window == begin.as_bytes())
    })
}

/// Takes a required section out of the envelope.
fn part(
    document: &mut Document,
    source: &str,
    key: &str,
    findings: &mut Vec<Finding>,
) -> Option<Part> {
    let Some(section) = document.detach(key) else {
        let remedy = if document.root().get("type").is_some() {
            "this looks like a section on its own: put it below its name, or check it with --section"
                .to_owned()
        } else {
            format!("add the {key} section")
        };
        findings.push(document.finding("", format!("the key `{key}` is missing"), remedy));
        return None;
    };
    let found = match &section.root().kind {
        Kind::Mapping(_) => {
            return Some(Part::Mapping(
                section.with_code(messages::SCHEMA_PARSE_CONTRACT),
            ));
        }
        Kind::Text(text) if !text.trim_ascii().is_empty() => {
            let text = Text(text.clone());
            let origin = section
                .with_code(messages::SCHEMA_PARSE_CONTRACT)
                .literal_origin(source);
            return Some(Part::Text(text, origin));
        }
        Kind::Text(_) => "empty text",
        _ => section.root().describe(),
    };
    findings.push(section.finding(
        "",
        format!("{found} stands where a section belongs"),
        "write a token, a literal block of YAML or a mapping",
    ));
    None
}

/// Takes an optional scalar out of the envelope.
fn scalar(document: &mut Document, key: &str, findings: &mut Vec<Finding>) -> Option<Text> {
    let value = document.detach(key)?;
    if let Kind::Text(text) = &value.root().kind {
        return Some(Text(text.clone()));
    }
    let cause = format!("{} stands where text belongs", value.root().describe());
    findings.push(value.finding("", cause, "write text, or remove the key"));
    None
}
