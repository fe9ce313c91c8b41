//! A contract as a configuration gives it: each section as attributes, as YAML, or sealed by somebody else.

use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::lone;
use hpcr_contract::messages;
use hpcr_contract::preflight::Horizon;
use hpcr_contract::product::Product;
use hpcr_contract::schema::Section;
use hpcr_contract::stages::Keys;
use hpcr_contract::token::is_sealed;
use hpcr_contract::yaml;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::fields::{self, Field};
use crate::diagnostic::Diagnostic;
use crate::findings;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// One section as it is given.
pub(super) struct Half {
    section: Section,
    /// The attribute that gives it.
    pub(super) attribute: String,
    fields: &'static [Field],
    said: Value,
    /// The section itself, in the clear or sealed; none where a part of it is not known yet.
    pub(super) text: Option<Zeroizing<String>>,
}

impl Half {
    /// The section of a configuration; none where it gives none.
    pub(super) fn read(section: Section, config: &Object) -> Result<Option<Self>, Diagnostic> {
        let name = section.name();
        let names = [
            name.to_owned(),
            format!("{name}_yaml"),
            format!("{name}_wo"),
        ];
        let given = names.into_iter().filter_map(|name| {
            let value = config.get(&name).filter(|value| !value.is_null())?;
            Some((name, value))
        });
        let given: Vec<_> = given.collect();
        if let [_, (second, _), ..] = &given[..] {
            return Err(Diagnostic::error(
                Path::of(second),
                "A section is given twice",
                format!("Give one of {name}, {name}_yaml and {name}_wo."),
            ));
        }
        let Some((attribute, said)) = given.into_iter().next() else {
            return Ok(None);
        };
        let fields = fields::of(section);
        let text = match said {
            Value::Text(text) => Some(text.clone()),
            said if said.has_unknown() => None,
            Value::Map(said) => Some(written(section, fields, said, &attribute)?),
            _ => None,
        };
        Ok(Some(Self {
            section,
            attribute,
            fields,
            said: said.clone(),
            text,
        }))
    }

    /// Whether somebody else has sealed it.
    pub(super) fn is_sealed(&self) -> bool {
        self.text.as_ref().is_some_and(|text| is_sealed(text))
    }

    /// Whether it is the env section, and sealed.
    pub(super) fn is_sealed_env(&self) -> bool {
        self.section == Section::Env && self.is_sealed()
    }

    /// The attribute that a key path in the section means, and that in words: of a text Terraform has no parts.
    fn place(&self, place: &str) -> (Path, String) {
        let path = fields::path(self.fields, &self.said, place, Path::of(&self.attribute));
        let words = match &self.said {
            Value::Text(_) if !place.is_empty() => format!("{}.{place}", self.attribute),
            _ => path.to_string(),
        };
        (path, words)
    }

    /// A text about the section, its keys as they are spelt where it is given.
    fn spoken(&self, text: &str) -> Box<str> {
        match &self.said {
            Value::Map(_) => fields::spoken(self.fields, text).into(),
            _ => text.into(),
        }
    }

    /// The name of the section.
    pub(super) fn name(&self) -> &'static str {
        self.section.name()
    }

    /// What the core says of it on its own; nothing where it is sealed or not known.
    pub(super) fn review(&self, product: Product, horizon: Horizon) -> Vec<Finding> {
        let Some(text) = self.text.as_ref().filter(|_| !self.is_sealed()) else {
            return Vec::new();
        };
        let mut found = lone::check(
            self.section,
            text.as_bytes(),
            self.name(),
            product,
            Keys::default(),
            horizon,
        );
        // It is sealed before anybody sees it.
        found.retain(|one| one.code != messages::PLAIN_SECRETS);
        // Of a section on its own, the path begins with its name.
        for finding in &mut found {
            finding.place = finding
                .place
                .clone()
                .inside(Place::at("contract", self.name()));
        }
        found
    }
}

/// A section of attributes as YAML.
fn written(
    section: Section,
    fields: &[Field],
    said: &Object,
    attribute: &str,
) -> Result<Zeroizing<String>, Diagnostic> {
    let mut keys = fields::to_json(fields, said);
    keys.insert("type".into(), section.name().into());
    let mut tree = Json::Object(keys);
    let text = yaml::write(&tree);
    yaml::wipe(&mut tree);
    text.map(Zeroizing::new)
        .map_err(|error| Diagnostic::of(&error, Path::of(attribute)))
}

/// Everything that goes into a contract.
pub(super) struct Draft {
    pub(super) halves: Vec<Half>,
    /// `attestationPublicKey`.
    pub(super) auditor: Option<String>,
    /// Something of it is not known yet.
    pub(super) is_open: bool,
}

/// What findings call the contract, and its sections where these are read on their own.
const OURS: [&str; 3] = ["contract", "workload", "env"];
/// The attribute of the auditor's key.
pub(super) const AUDITOR: &str = "attestation_public_key";

impl Draft {
    /// Reads what a configuration gives.
    pub(super) fn read(config: &Object) -> Result<Self, Vec<Diagnostic>> {
        let (mut halves, mut found) = (Vec::new(), Vec::new());
        for section in [Section::Workload, Section::Env] {
            match Half::read(section, config) {
                Ok(half) => halves.extend(half),
                Err(diagnostic) => found.push(diagnostic),
            }
        }
        if found.is_empty() && halves.is_empty() {
            found.push(Diagnostic::error(
                Path::of("workload"),
                "There is no section",
                "Give workload, env or both: as attributes, as YAML, or sealed by the other party.",
            ));
        }
        if !found.is_empty() {
            return Err(found);
        }
        let auditor = config.get(AUDITOR).unwrap_or(&Value::Null);
        Ok(Self {
            is_open: auditor.has_unknown() || halves.iter().any(|half| half.text.is_none()),
            auditor: auditor.as_text().map(str::to_owned),
            halves,
        })
    }

    /// Both sections, where both are there.
    pub(super) fn is_whole(&self) -> bool {
        self.halves.len() == 2
    }

    /// Whether everything of it is sealed already.
    pub(super) fn is_sealed(&self) -> bool {
        self.auditor.as_ref().is_none_or(|text| is_sealed(text))
            && self.halves.iter().all(Half::is_sealed)
    }

    /// The contract in YAML, its sections as they are given.
    pub(super) fn contract(&self) -> Result<Zeroizing<String>, Vec<Diagnostic>> {
        let mut tree = json!({});
        for half in &self.halves {
            tree[half.name()] = half.text.as_ref().map(|text| text.as_str()).into();
        }
        if let Some(auditor) = &self.auditor {
            tree["attestationPublicKey"] = auditor.as_str().into();
        }
        let text = yaml::write(&tree);
        yaml::wipe(&mut tree);
        text.map(Zeroizing::new)
            .map_err(|error| vec![Diagnostic::of(&error, Path::default())])
    }

    /// Findings in the contract, each at the attribute that it is about.
    pub(super) fn told(&self, findings: &[Finding]) -> Vec<Diagnostic> {
        findings.iter().map(|one| self.tell(one)).collect()
    }

    fn tell(&self, finding: &Finding) -> Diagnostic {
        let chain = finding.place.chain();
        let is_ours = |part: &&&Place| OURS.contains(&part.file.as_str());
        let ours = chain
            .iter()
            .take_while(is_ours)
            .map(|part| part.path.as_str());
        let ours: Vec<_> = ours.filter(|path| !path.is_empty()).collect();
        let ours = ours.join(".");
        let (path, words) = self.place(&ours);
        // What an archive holds has its place there.
        let inner = chain.iter().skip_while(is_ours).map(|part| Place {
            outer: None,
            ..(*part).clone()
        });
        let places: Vec<_> = std::iter::once(words)
            .chain(inner.map(|place| place.to_string()))
            .collect();
        let mut finding = finding.clone();
        if let ([_], Some((half, _))) = (&places[..], self.half(&ours)) {
            finding.cause = half.spoken(&finding.cause);
            finding.remedy = half.spoken(&finding.remedy);
        }
        findings::diagnostic(&finding, path, &places.join(" → "))
    }

    /// The section that a key path leads into, and the rest of the way.
    fn half<'p>(&self, place: &'p str) -> Option<(&Half, &'p str)> {
        self.halves.iter().find_map(|half| {
            let rest = place.strip_prefix(half.name())?;
            (rest.is_empty() || rest.starts_with('.')).then(|| (half, rest.trim_start_matches('.')))
        })
    }

    fn place(&self, place: &str) -> (Path, String) {
        if let Some((half, rest)) = self.half(place) {
            return half.place(rest);
        }
        let path = match place {
            "attestationPublicKey" => Path::of(AUDITOR),
            "envWorkloadSignature" => Path::of("signing_key"),
            _ => Path::of(&self.halves[0].attribute),
        };
        let words = path.to_string();
        (path, words)
    }
}
