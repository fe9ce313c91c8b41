//! Initdata: a contract as a TOML document, compressed and in base64, as an annotation of a Pod takes it.
//!
//! The same contract gives the same bytes at every time: the header of gzip says neither when nor where. Reading is
//! bounded, since an annotation comes from outside.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use serde::Deserialize;
use sha2::{Digest as _, Sha384};

use crate::error::ContractError;
use crate::user_data::MAX_BYTES;

/// What comes before the header of a Secure Execution image, behind the contract.
const BOOT: &str = "\nboot: |\n    sehdr: ";
/// What the document may have beside the contract.
const MAX_TEXT: usize = MAX_BYTES + (1 << 20);

/// What initdata holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initdata {
    /// The contract.
    pub contract: String,
    /// The header of a Secure Execution image, base64: for guests on bare metal.
    pub header: Option<String>,
}

/// The document as others may have written it: unknown entries are refused, not passed over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    algorithm: String,
    version: String,
    data: BTreeMap<String, String>,
}

impl Initdata {
    /// The TOML document, whose digest a guest proves.
    pub fn document(&self) -> Result<String, ContractError> {
        // A literal string of TOML has no escapes: what it cannot hold cannot be written.
        let writable = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
        if self.contract.contains("'''") || !self.contract.chars().all(writable) {
            return Err(ContractError::InitdataForm);
        }
        let boot = match &self.header {
            Some(header) if STANDARD.decode(header).is_err() => {
                return Err(ContractError::Initdata("the header is not base64"));
            }
            Some(header) => format!("{BOOT}{header}"),
            None => String::new(),
        };
        Ok(format!(
            "\nalgorithm = \"sha384\"\nversion = \"0.1.0\"\n\n[data]\n\"contract.yaml\" = '''{}{boot}'''\n",
            self.contract
        ))
    }

    /// SHA-384 of the document.
    pub fn digest(&self) -> Result<[u8; 48], ContractError> {
        Ok(Sha384::digest(self.document()?).into())
    }

    /// The annotation: base64 of the compressed document, in one line.
    pub fn encode(&self) -> Result<String, ContractError> {
        let unpacked = |_| ContractError::Initdata("it cannot be compressed");
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(self.document()?.as_bytes())
            .map_err(unpacked)?;
        Ok(STANDARD.encode(gzip.finish().map_err(unpacked)?))
    }

    /// Reads an annotation.
    pub fn decode(text: &str) -> Result<Self, ContractError> {
        let gzip = STANDARD
            .decode(text.trim_ascii())
            .map_err(|_| ContractError::Initdata("it is not base64"))?;
        let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX);
        let mut document = String::new();
        MultiGzDecoder::new(gzip.as_slice())
            .take(limit + 1)
            .read_to_string(&mut document)
            .map_err(|_| ContractError::Initdata("it is not text in gzip"))?;
        if document.len() > MAX_TEXT {
            return Err(ContractError::Initdata("it is larger than 32 MiB"));
        }
        let mut document: Document = toml::from_str(&document)
            .map_err(|_| ContractError::Initdata("it is no initdata document of version 0.1.0"))?;
        if document.algorithm != "sha384" || document.version != "0.1.0" {
            return Err(ContractError::Initdata(
                "its algorithm is not sha384, or its version not 0.1.0",
            ));
        }
        let text = document.data.remove("contract.yaml");
        let (Some(text), true) = (text, document.data.is_empty()) else {
            return Err(ContractError::Initdata(
                "it does not hold contract.yaml alone",
            ));
        };
        Ok(match text.rsplit_once(BOOT) {
            Some((contract, header)) if STANDARD.decode(header).is_ok() => Self {
                contract: contract.to_owned(),
                header: Some(header.to_owned()),
            },
            _ => Self {
                contract: text,
                header: None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn initdata(contract: &str, header: Option<&str>) -> Initdata {
        Initdata {
            contract: contract.to_owned(),
            header: header.map(str::to_owned),
        }
    }

    fn encoded(document: &[u8]) -> String {
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::fast());
        gzip.write_all(document).unwrap();
        STANDARD.encode(gzip.finish().unwrap())
    }

    #[test]
    fn the_document_is_that_of_the_specification() {
        assert_eq!(
            initdata("env: a\nworkload: b\n", None).document().unwrap(),
            "\nalgorithm = \"sha384\"\nversion = \"0.1.0\"\n\n[data]\n\"contract.yaml\" = '''env: a\nworkload: b\n'''\n"
        );
        let bare_metal = initdata("env: a", Some("SEVBREVS")).document().unwrap();
        assert!(
            bare_metal.ends_with("'''env: a\nboot: |\n    sehdr: SEVBREVS'''\n"),
            "{bare_metal}"
        );
    }

    #[test]
    fn the_same_contract_gives_the_same_bytes_and_gzip_says_neither_when_nor_where() {
        let one = initdata("env: a\n", None);
        assert_eq!(one.encode().unwrap(), one.encode().unwrap());
        let gzip = STANDARD.decode(one.encode().unwrap()).unwrap();
        assert_eq!(gzip[..3], [0x1f, 0x8b, 8]);
        assert_eq!(gzip[3..8], [0; 5], "neither flags nor a time");
        assert_eq!(gzip[9], 255, "no operating system");
    }

    #[test]
    fn what_cannot_be_written_or_read_is_refused_for_what_it_is() {
        for contract in ["a: '''\n", "a: \r\n", "a: \u{1b}[2J"] {
            assert!(initdata(contract, None).encode().is_err(), "{contract:?}");
        }
        assert!(initdata("a", Some("not base64!")).encode().is_err());
        let with = |text: &str| encoded(text.as_bytes());
        let good = "algorithm = \"sha384\"\nversion = \"0.1.0\"\n[data]\n";
        for (text, cause) in [
            ("hunter2!".to_owned(), "not base64"),
            (STANDARD.encode("hunter2"), "not text in gzip"),
            (encoded(&[0xff]), "not text in gzip"),
            (with("= ="), "no initdata document"),
            (with(&good.replace("384", "256")), "algorithm"),
            (with(good), "contract.yaml alone"),
            (
                with(&format!(
                    "{good}\"contract.yaml\" = 'a'\n\"policy.rego\" = 'b'\n"
                )),
                "contract.yaml alone",
            ),
            (encoded(&vec![b' '; MAX_TEXT + 1]), "larger than 32 MiB"),
        ] {
            let error = Initdata::decode(&text).unwrap_err().to_string();
            assert!(
                error.contains(cause) && !error.contains("hunter2"),
                "{cause}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(contract in "[ -&(-~\n\t]{1,200}", header in proptest::option::of("[A-Za-z0-9+/]{8}")) {
            // TOML takes one line's end at the very beginning of a literal for its own.
            prop_assume!(!contract.starts_with('\n'));
            let data = initdata(&contract, header.as_deref());
            prop_assert_eq!(Initdata::decode(&data.encode().unwrap()).unwrap(), data);
        }

        #[test]
        fn no_document_makes_the_reader_panic(text in "[\\[\\]='\"a-z.\n -]{0,80}") {
            let _ = Initdata::decode(&encoded(text.as_bytes()));
        }
    }
}
