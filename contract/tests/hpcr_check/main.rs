//! `hpcr-check` as its users run it: arguments in, standard output, standard error and exit status out, with the openssl
//! command line on the other side of every seal and signature.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod archive;
mod attestation;
mod confidential_containers;
mod desk;
mod fleet;
mod formats;
mod inspect;
mod migrate;
mod network;
mod preflight;
mod results;
mod sealing;
mod signing;
mod templates;
mod usage;
mod validate;
mod words;
