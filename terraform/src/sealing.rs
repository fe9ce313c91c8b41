//! For whom a resource seals: `cert`, `platform` and `version`, and what the provider or the environment say where the
//! resource does not.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use hpcr_contract::certificate::{Expiry, PublicKey, expiry};
use hpcr_contract::product::Product;
use hpcr_contract::token::Audience;
use hpcr_contract::token::openssl::Prefix;

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Stage};
use crate::files;
use crate::memo::Memo;
use crate::resource::Failed;
use crate::schema::Attribute;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// Names the certificate of an image, or the folder that `hpcr-image build` made, for resources that name none.
const VARIABLE: &str = "HPCR_CERT";
/// What the certificate is called in such a folder.
const FILE: &str = "encryption.crt";
/// A certificate takes some 3 KiB.
const MAX_CERTIFICATE: u64 = 64 << 10;
/// Names of products that configurations of older days use.
const FORMER: [(&str, Product); 2] = [
    ("hpcr-rhvs", Product::Ccrv),
    ("hpcc-peerpod", Product::Ccco),
];

/// To whom a configuration seals.
#[derive(Debug)]
pub(crate) enum To {
    /// There is nothing to seal.
    Nobody,
    /// The key with this fingerprint.
    Key([u8; 32]),
    /// Nothing names a key.
    Nothing,
    /// What is not known yet.
    Unknown,
}

impl To {
    /// The key that a configuration names, or leaves to provider and environment.
    pub(crate) fn of(config: &Object, context: &Context) -> Result<Self, Failed> {
        match find(config, context) {
            Ok(Found::Key(key, place)) => {
                let fingerprint = key.fingerprint().map(Self::Key);
                fingerprint.map_err(|error| vec![Diagnostic::of(&error, place)])
            }
            Ok(Found::Nothing) => Ok(Self::Nothing),
            Ok(Found::Unknown) => Ok(Self::Unknown),
            // It matters to what is sealed now; what was sealed before stays.
            Err(diagnostic) if diagnostic.since > Stage::Validate => Ok(Self::Nothing),
            Err(diagnostic) => Err(vec![diagnostic]),
        }
    }

    /// The fingerprint of the key; empty where there is none.
    pub(crate) fn key(&self) -> Vec<u8> {
        match self {
            Self::Key(key) => key.to_vec(),
            Self::Nobody | Self::Nothing | Self::Unknown => Vec::new(),
        }
    }
}

/// What to do about a wrong name.
pub(crate) const PLATFORMS: &str = "Write hpvs, ccrt, ccrv or ccco.";

/// A key to seal to.
#[derive(Debug)]
pub(crate) struct Sealing {
    key: Arc<PublicKey>,
    prefix: Prefix,
    /// Which attribute named the certificate.
    place: Path,
}

impl Sealing {
    /// What a resource that seals takes.
    pub(crate) fn attributes() -> [Attribute; 3] {
        [
            Attribute::optional(
                "cert",
                Kind::Text,
                "The encryption certificate of the image, PEM. Where it is not given: that of `version` among the provider's `certs`, the provider's `cert`, or the file that the environment variable HPCR_CERT names.",
            ),
            platform("hpvs"),
            Attribute::optional(
                "version",
                Kind::Text,
                "The version of the image whose certificate is taken from the provider's `certs`.",
            ),
        ]
    }

    /// What is wrong with them, as far as they are known, and how long the certificate lasts.
    pub(crate) fn check(config: &Object, context: &Context) -> Vec<Diagnostic> {
        let mut found: Vec<_> = product(config).err().into_iter().collect();
        match find(config, context) {
            Err(diagnostic) => found.push(diagnostic),
            Ok(Found::Key(key, place)) => found.extend(lifetime(&key, place, context.now)),
            Ok(Found::Nothing) => found.push(missing(config, context)),
            Ok(Found::Unknown) => {}
        }
        found
    }

    /// The key that a configuration names, every value of which is known.
    pub(crate) fn of(config: &Object, context: &Context) -> Result<Self, Failed> {
        let product = product(config).map_err(|found| vec![found])?;
        match find(config, context).map_err(|found| vec![found])? {
            Found::Key(key, place) => Ok(Self {
                key,
                prefix: prefix(product),
                place,
            }),
            Found::Nothing | Found::Unknown => Err(vec![missing(config, context)]),
        }
    }

    /// The key as the core takes it.
    pub(crate) fn audience(&self) -> Audience<'_> {
        Audience::Certificate(&self.key, self.prefix)
    }

    /// Seals bytes: a token.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<String, Failed> {
        let sealed = self.audience().seal(plain);
        sealed.map_err(|error| vec![Diagnostic::of(&error, self.place.clone())])
    }
}

/// The attribute that names a product.
pub(crate) fn platform(default: &'static str) -> Attribute {
    let description = "The product that the contract is for: hpvs, ccrt, ccrv or ccco.";
    Attribute::optional("platform", Kind::Text, description).or(default)
}

/// The product that a configuration names. What is not known yet is as good as any.
pub(crate) fn product(config: &Object) -> Result<Product, Diagnostic> {
    let Some(name) = config.get("platform").and_then(Value::as_text) else {
        return Ok(Product::Hpvs);
    };
    named(Some(name)).ok_or_else(|| {
        let summary = "There is no such platform";
        Diagnostic::error(Path::of("platform"), summary, PLATFORMS)
    })
}

/// The product of a name; none where there is no such.
pub(crate) fn named(name: Option<&str>) -> Option<Product> {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Some(Product::Hpvs);
    };
    let former = FORMER.iter().find(|(former, _)| *former == name);
    Product::from_name(name).or(former.map(|(_, product)| *product))
}

/// Which of the two names a product's images know their tokens by.
pub(crate) fn prefix(product: Product) -> Prefix {
    match product {
        Product::Ccrt | Product::Ccrv => Prefix::ContractBasic,
        Product::Hpvs | Product::Ccco => Prefix::HyperProtectBasic,
    }
}

/// What is to be said of the end of a certificate.
fn lifetime(key: &PublicKey, place: Path, now: i64) -> Option<Diagnostic> {
    let end = key.validity()?.not_after;
    if expiry(end, now) == Expiry::Expired {
        let summary = "The encryption certificate has expired";
        let detail = "Give the certificate of a current image: one that new has no key for this one. What was sealed before stays as it is.";
        return Some(Diagnostic::error(place, summary, detail).since(Stage::Plan));
    }
    let days = end.saturating_sub(now) / (24 * 60 * 60);
    Some(Diagnostic::warning(
        place,
        "Lifetime of the encryption certificate",
        format!("The encryption certificate is valid for {days} more days."),
    ))
}

/// What the first place gives that could name a certificate.
enum Found {
    /// The key, and the attribute that named it.
    Key(Arc<PublicKey>, Path),
    Nothing,
    /// What is not known yet.
    Unknown,
}

/// Keys that were read: all resources of a run may name one certificate.
static CERTIFICATES: Memo<PublicKey> = Memo::new(|key| key.pem().len() + KEY);
/// What a key takes at most beside its text.
const KEY: usize = 16 << 10;

/// The key of the first place that names one.
fn find(config: &Object, context: &Context) -> Result<Found, Diagnostic> {
    let own = config.get("cert").unwrap_or(&Value::Null);
    if own.has_unknown() {
        return Ok(Found::Unknown);
    }
    let place = Path::of("cert");
    if let Some(pem) = own.as_text() {
        return read(pem.as_bytes(), place);
    }
    let Some(provider) = &context.provider else {
        return Ok(Found::Unknown);
    };
    let certs = provider.get("certs").unwrap_or(&Value::Null);
    if let Some(version) = config.get("version").filter(|version| !version.is_null()) {
        let Some(version) = version.as_text() else {
            return Ok(Found::Unknown);
        };
        match certs.as_map().and_then(|certs| certs.get(version)) {
            Some(Value::Text(pem)) => return read(pem.as_bytes(), Path::of("version")),
            _ if certs.has_unknown() => return Ok(Found::Unknown),
            _ => {}
        }
    }
    match provider.get("cert").unwrap_or(&Value::Null) {
        Value::Text(pem) => read(pem.as_bytes(), place),
        // Other machines may plan what is sealed already without it.
        Value::Null => from_environment(place).map_err(|one| one.since(Stage::Plan)),
        _ => Ok(Found::Unknown),
    }
}

fn read(pem: &[u8], place: Path) -> Result<Found, Diagnostic> {
    match CERTIFICATES.answer(&[pem], || PublicKey::parse(pem)) {
        Ok(key) => Ok(Found::Key(key, place)),
        Err(error) => Err(Diagnostic::of(&error, place)),
    }
}

fn from_environment(place: Path) -> Result<Found, Diagnostic> {
    let named = env::var_os(VARIABLE).filter(|named| !named.is_empty());
    let Some(named) = named.map(PathBuf::from) else {
        return Ok(Found::Nothing);
    };
    let file = if named.is_dir() {
        named.join(FILE)
    } else {
        named
    };
    let pem = files::read(&file, MAX_CERTIFICATE).map_err(|error| {
        Diagnostic::error(
            place.clone(),
            "The certificate that HPCR_CERT names cannot be read",
            format!(
                "{}: {error}. Name an image's certificate or folder.",
                file.display()
            ),
        )
    })?;
    read(&pem, place)
}

fn missing(config: &Object, context: &Context) -> Diagnostic {
    let is_given = |object: &Object, name| object.get(name).is_some_and(|value| !value.is_null());
    let by_version = context.provider.as_ref();
    if is_given(config, "version") && by_version.is_some_and(|block| is_given(block, "certs")) {
        return Diagnostic::error(
            Path::of("version"),
            "The version is not among `certs` of the provider's block",
            "Put the certificate of this version there, or name a version that is there.",
        )
        .since(Stage::Plan);
    }
    Diagnostic::error(
        Path::of("cert"),
        "No encryption certificate is given",
        "Give `cert`: the file encryption.crt of the image's folder, or the certificate that the publisher of the image names. For all resources at once, give `cert` or `certs` in the provider's block, or name the file or folder in the environment variable HPCR_CERT. This provider brings no certificates of its own.",
    )
    .since(Stage::Plan)
}
