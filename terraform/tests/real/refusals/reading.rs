//! Wrong data sources and functions, and what only a plan can know: a block, and words of its error, which is at the line with `#!`.

use super::Case;

/// What `terraform validate` finds.
pub(crate) const CASES: &[Case] = &[
    // Data sources.
    (
        r#"
data "hpcr_image" "NAME" {
  images = "[" #!
}"#,
        "jsonencode",
    ),
    (
        r#"
data "hpcr_image" "NAME" {
  images = "[]"
  spec   = "latest" #!
}"#,
        "no range of versions",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" { #!
  attestation = provider::hpcr::encrypt("x", FILE(image.crt))
}"#,
        "Give the auditor's private key",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" {
  attestation = "x"
  cert        = FILE(image.crt) #!
}"#,
        "without signature",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" {
  attestation = "x"
  signature   = "AAAA" #!
}"#,
        "without cert",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" {
  attestation = "x"
  privkey     = "nonsense" #!
}"#,
        "private key",
    ),
    (
        r#"
data "hpcr_encryption_certs" "NAME" {
  versions = [
    "1.0.14",
    "newest", #!
  ]
}"#,
        "such as 1.0.14",
    ),
    (
        r#"
data "hpcr_encryption_certs" "NAME" {
  versions = ["1.0.14"]
  template = "http://mirror.example/{{.Patch}}.crt" #!
}"#,
        "HTTPS alone",
    ),
    (
        r#"
data "hpcr_encryption_cert" "NAME" {
  certs = { "1.0.14" = "x" }
  spec  = ">>1" #!
}"#,
        "no range of versions",
    ),
    // Functions.
    (
        r#"
output "NAME" {
  value = provider::hpcr::tgz("missing") #!
}"#,
        "The folder is not there",
    ),
    (
        r#"
output "NAME" {
  value = provider::hpcr::encrypt("x", "nonsense") #!
}"#,
        "public key or certificate",
    ),
    (
        r#"
output "NAME" {
  value = provider::hpcr::encrypt("x", FILE(ended.crt)) #!
}"#,
        "expired",
    ),
    (
        r#"
output "NAME" {
  value = provider::hpcr::attestation_verify("x", FILE(image.crt), "AAAA") #!
}"#,
        "signature",
    ),
    (
        r#"
output "NAME" {
  value = provider::hpcr::attestation_open("x", "nonsense") #!
}"#,
        "The record is not sealed",
    ),
    (
        r#"
output "NAME" {
  value = provider::hpcr::attestation_open(provider::hpcr::encrypt("x", FILE(image.crt)), "nonsense") #!
}"#,
        "private key",
    ),
    (
        r#"
output "NAME" {
  value = provider::hpcr::attestation_open(provider::hpcr::encrypt("x", FILE(image.crt)), FILE(sign.pem)) #!
}"#,
        "does not open with this key",
    ),
    (
        r#"
resource "hpcr_tgz" "NAME" {
  folder = "file" #!
}"#,
        "is a file",
    ),
];

/// What a plan finds.
pub(crate) const PLANNING: &[Case] = &[
    (
        r#"
resource "hpcr_text_encrypted" "NAME" { #!
  text = "x"
}"#,
        "encryption.crt",
    ),
    (
        r#"
resource "hpcr_text_encrypted" "NAME" { #!
  text    = "x"
  version = "1.0.29"
}"#,
        "No encryption certificate is given",
    ),
    (
        r#"
resource "hpcr_text_encrypted" "NAME" {
  text = "x"
  cert = FILE(ended.crt) #!
}"#,
        "has expired",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  HALF
  ca_cert       = FILE(authority.crt)
  ca_key        = FILE(authority.key)
  expiry_date   = "2001-01-01" #!
}"#,
        "ended already",
    ),
    (
        r#"
resource "hpcr_tgz" "NAME" {
  folder = "linked" #!
}"#,
        "neither a folder nor a regular file",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" { #!
  workload = APP
}"#,
        "No encryption certificate is given",
    ),
    (
        r#"
data "hpcr_image" "NAME" {
  images = "[]" #!
}"#,
        "No image fits",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" {
  attestation = "x" #!
}"#,
        "no hash",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" {
  attestation = "0000000000000000000000000000000000000000000000000000000000000000 env"
  cert        = FILE(image.crt)
  signature   = "AAAA" #!
}"#,
        "signature",
    ),
    (
        r#"
data "hpcr_encryption_cert" "NAME" {
  certs = { "1.0.14" = FILE(image.crt) } #!
  spec  = ">1.0.14"
}"#,
        "No certificate fits",
    ),
    (
        r#"
data "hpcr_encryption_cert" "NAME" {
  certs = {
    "1.0.14" = "nonsense" #!
  }
}"#,
        "no certificate",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" {
  attestation = provider::hpcr::encrypt("x", FILE(image.crt))
  privkey     = FILE(sign.pem) #!
}"#,
        "attestationPublicKey",
    ),
    (
        r#"
data "hpcr_attestation" "NAME" {
  attestation = "0000000000000000000000000000000000000000000000000000000000000000 env"
  cert        = FILE(image.crt)
  signature   = "not base64!" #!
}"#,
        "nor base64",
    ),
    (
        r#"
resource "hpcr_tgz" "NAME" {
  folder = "deep" #!
}"#,
        "is too deep",
    ),
];
