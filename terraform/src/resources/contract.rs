//! `hpcr_contract`: a contract of attributes, reviewed while planning by the code that the guest runs, sealed and signed.

use std::path::Path as FilePath;

use hpcr_contract::authoring::{self, Signer};
use hpcr_contract::finding::Finding;
use hpcr_contract::preflight::Horizon;
use hpcr_contract::schema::Section;
use hpcr_contract::token::{Audience, age, is_sealed};
use hpcr_contract::user_data::MAX_BYTES;
use sha2::{Digest as _, Sha256};

use crate::context::Context;
use crate::dates;
use crate::diagnostic::Diagnostic;
use crate::files;
use crate::resource::Failed;
use crate::resource::recipe::{Made, Recipe};
use crate::schema::{Attribute, Form, Nesting, Schema};
use crate::sealing::{self, Sealing, To};
use crate::signing;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

mod draft;
mod fields;
mod outputs;
mod review;
mod signer;

use draft::{AUDITOR, Draft};
use outputs::{parts, section_alone, told_of};
use review::NAME;
use signer::Terms;

/// See the module.
pub(crate) static CONTRACT: Made<Contract> = Made(Contract);

/// Certificates that end sooner than this are worth a word, in days.
const SOON: u32 = 30;
const DAY: i64 = 24 * 60 * 60;

/// See the module.
pub(crate) struct Contract;

impl Recipe for Contract {
    fn name(&self) -> &'static str {
        "hpcr_contract"
    }

    fn schema(&self) -> Schema {
        let text = |name: &str, description| Attribute::optional(name, Kind::Text, description);
        let computed = |name, description| Attribute::computed(name, Kind::Text, description);
        let mut attributes = Vec::new();
        for (section, what) in [
            (
                Section::Workload,
                "What runs: the workload provider's section.",
            ),
            (Section::Env, "Where it runs: the deployer's section."),
        ] {
            let name = section.name();
            let mut typed = text(name, what);
            let fields = fields::attributes(fields::of(section));
            typed.form = Form::Nested(Nesting::Single, fields);
            attributes.extend([
                typed,
                text(
                    &format!("{name}_yaml"),
                    "The same section as YAML, or sealed already (a token, or an age file).",
                )
                .sensitive(),
                text(
                    &format!("{name}_wo"),
                    "The same section as YAML or sealed, kept in no state.",
                )
                .sensitive()
                .write_only(),
            ]);
        }
        attributes.extend([
            text(AUDITOR, "The auditor's public key (PEM): the attestation record is sealed to it."),
            text("recipient", "The image's age recipient (age1...), instead of cert: sections are sealed as age files."),
            sealing::platform("ccrt"),
        ]);
        let sealing = Sealing::attributes().into_iter();
        attributes.extend(sealing.filter(|attribute| attribute.name != "platform"));
        attributes.extend(signer::attributes());
        attributes.extend([
            computed("rendered", "The contract: user-data of the guest. Null where one of the sections is not given."),
            computed("sha256", "SHA-256 of rendered, hexadecimal."),
            computed("workload_sealed", "The workload section, sealed."),
            computed("env_sealed", "The env section, sealed."),
            computed("expires", "When the contract ends (RFC 3339), where it does."),
            Attribute::computed("digests", Kind::map(Kind::Text), "What the attestation record will say of the contract, for the auditor: SHA-256 by name."),
        ]);
        Schema {
            description: "A contract: reviewed while planning, sealed and signed.",
            attributes,
        }
    }

    fn check(&self, config: &Object, context: &Context) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let terms = Terms::read(config)
            .map_err(|failed| found.extend(failed))
            .ok();
        found.extend(
            terms
                .iter()
                .flat_map(|terms| terms.check(config, context.now)),
        );
        match Draft::read(config) {
            Err(failed) => found.extend(failed),
            Ok(draft) => {
                found.extend(check_audience(&draft, config, context));
                if let Some(terms) = &terms {
                    let is_sealed = draft.halves.iter().any(draft::Half::is_sealed_env);
                    found.extend(terms.beside_sealed_env().filter(|_| is_sealed));
                    // A wrong platform is told where it stands.
                    let product = sealing::product(config).unwrap_or_default();
                    let horizon = Horizon {
                        now: context.now,
                        days: SOON,
                    };
                    found.extend(review::of(&draft, terms, product, horizon));
                }
            }
        }
        found
    }

    fn foresee(&self, _: &Object, _: &Context) -> Result<Object, Failed> {
        Ok(Object::new())
    }

    fn make(&self, config: &Object, context: &Context) -> Result<Object, Failed> {
        let (draft, terms) = (Draft::read(config)?, Terms::read(config)?);
        let audience = Reader::of(&draft, config, context)?;
        if !draft.is_whole() {
            return section_alone(&draft, &audience);
        }
        let contract = draft.contract()?;
        let told = |found: Vec<Finding>| draft.told(&found);
        let mut outputs = Object::new();
        let (clear, rendered) = if terms.sign() {
            let given = terms.key().map_err(|found| vec![found])?;
            let key = match given {
                Some(key) => key,
                None => signing::temporary().map_err(|found| vec![found])?,
            };
            let certificate = terms.certificate(&key, context)?;
            let at_key = |error| vec![Diagnostic::of(&error, terms.place())];
            let signer = match &certificate {
                Some(certificate) => {
                    let end = certificate.validity().map_err(at_key)?.not_after;
                    outputs.insert("expires".into(), Value::text(dates::text(end)));
                    Signer::with_certificate(&key, certificate).map_err(at_key)?
                }
                None => Signer::from(&*key),
            };
            let clear = authoring::sign(&contract, NAME, signer).map_err(told)?.text;
            let rendered = match audience.audience() {
                Some(to) => {
                    authoring::seal_and_sign(&contract, NAME, to, signer)
                        .map_err(told)?
                        .text
                }
                None => clear.clone(),
            };
            (clear, rendered)
        } else {
            let rendered = match audience.audience() {
                Some(to) => authoring::seal(&contract, NAME, to).map_err(told)?.text,
                None => contract.clone(),
            };
            (contract, rendered)
        };
        outputs.extend(told_of(&clear, &rendered)?);
        Ok(outputs)
    }

    fn sealed_to(&self, config: &Object, context: &Context) -> Result<To, Failed> {
        let Ok(draft) = Draft::read(config) else {
            return Ok(To::Nothing);
        };
        if draft.is_sealed() {
            return Ok(To::Nobody);
        }
        match config.get("recipient").unwrap_or(&Value::Null) {
            Value::Null => To::of(config, context),
            Value::Text(recipient) => Ok(To::Key(Sha256::digest(&**recipient).into())),
            _ => Ok(To::Unknown),
        }
    }

    fn remarks(&self, state: &Object, context: &Context) -> Vec<Diagnostic> {
        let end = state
            .get("expires")
            .and_then(Value::as_text)
            .and_then(dates::parse);
        let Some(left) = end.map(|end| end.saturating_sub(context.now)) else {
            return Vec::new();
        };
        let summary = match left {
            left if left < 0 => "The contract has ended".to_owned(),
            left if left < i64::from(SOON) * DAY => {
                format!("The contract ends in {} days", left / DAY)
            }
            _ => return Vec::new(),
        };
        let detail = "Make it anew with `terraform apply -replace`, and start the guest with it.";
        vec![Diagnostic::warning(Path::default(), &summary, detail)]
    }

    fn import(&self, id: &str) -> Result<Object, Failed> {
        let failed = |why: &str| {
            let detail = format!(
                "{id}: {why}. Give the file of a contract whose sections are both sealed. One in the clear is no state to take over: give its sections as `workload_yaml` and `env_yaml`, and it is sealed by `apply`."
            );
            vec![Diagnostic::error(
                Path::default(),
                "The contract cannot be imported",
                detail,
            )]
        };
        let bytes = files::read(FilePath::new(id), MAX_BYTES as u64);
        let bytes = bytes.map_err(|error| failed(&error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text"))?;
        let mut parts = parts(&text)?;
        for name in ["workload", "env"] {
            if !parts
                .get(name)
                .and_then(Value::as_text)
                .is_some_and(is_sealed)
            {
                return Err(failed(&format!("it has no sealed {name}")));
            }
        }
        let mut outputs = told_of(&text, &text)?;
        let inputs = [
            ("workload_yaml", "workload"),
            ("env_yaml", "env"),
            (AUDITOR, "attestationPublicKey"),
        ];
        for (name, key) in inputs {
            outputs.extend(parts.remove(key).map(|text| (name.to_owned(), text)));
        }
        Ok(outputs)
    }
}

/// For whom sections are sealed.
enum Reader {
    Image(Sealing),
    Recipient(age::Recipient),
    /// Everything is sealed already.
    Nobody,
}

impl Reader {
    fn of(draft: &Draft, config: &Object, context: &Context) -> Result<Self, Failed> {
        if let Some(recipient) = config.get("recipient").and_then(Value::as_text) {
            let recipient = age::Recipient::from_text(recipient);
            return recipient
                .map(Self::Recipient)
                .map_err(|error| vec![Diagnostic::of(&error, Path::of("recipient"))]);
        }
        if draft.is_sealed() {
            return Ok(Self::Nobody);
        }
        Sealing::of(config, context).map(Self::Image)
    }

    fn audience(&self) -> Option<Audience<'_>> {
        match self {
            Self::Image(sealing) => Some(sealing.audience()),
            Self::Recipient(recipient) => Some(Audience::Recipient(recipient)),
            Self::Nobody => None,
        }
    }
}

fn check_audience(draft: &Draft, config: &Object, context: &Context) -> Vec<Diagnostic> {
    let is_given = |name| config.get(name).is_some_and(|value| !value.is_null());
    if is_given("recipient") {
        let mut found: Vec<_> = sealing::product(config).err().into_iter().collect();
        if is_given("cert") {
            let summary = "Both cert and recipient are given";
            let detail = "Give one of them: the form in which sections are sealed.";
            found.push(Diagnostic::error(Path::of("recipient"), summary, detail));
        }
        if config
            .get("recipient")
            .is_some_and(|value| value.as_text().is_some())
        {
            found.extend(Reader::of(draft, config, context).err().unwrap_or_default());
        }
        return found;
    }
    let is_done =
        !draft.is_open && matches!(Reader::of(draft, config, context), Ok(Reader::Nobody));
    if is_done {
        return sealing::product(config).err().into_iter().collect();
    }
    Sealing::check(config, context)
}
