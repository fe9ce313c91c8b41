//! Wrong texts, folders and contracts as YAML: a block, and words of its error, which is at the line with `#!`.

use super::Case;

/// What `terraform validate` finds.
pub(crate) const CASES: &[Case] = &[
    // For whom is sealed.
    (
        r#"
resource "hpcr_text_encrypted" "NAME" {
  text     = "x"
  cert     = FILE(image.crt)
  platform = "hpvc" #!
}"#,
        "Write hpvs, ccrt, ccrv or ccco",
    ),
    (
        r#"
resource "hpcr_text_encrypted" "NAME" {
  text = "x"
  cert = "nonsense" #!
}"#,
        "HPL11001E",
    ),
    (
        r#"
resource "hpcr_text_encrypted" "NAME" {
  text = "x"
  cert = FILE(curve.pub) #!
}"#,
        "no RSA key",
    ),
    (
        r#"
resource "hpcr_text_encrypted" "NAME" {
  text = "x"
  cert = FILE(short.crt) #!
}"#,
        "shorter than 2048",
    ),
    // What is sealed.
    (
        r#"
resource "hpcr_json" "NAME" {
  json = "{\"a\": }" #!
}"#,
        "column 7",
    ),
    (
        r#"
resource "hpcr_json_encrypted" "NAME" {
  json = "hello" #!
  cert = FILE(image.crt)
}"#,
        "jsonencode",
    ),
    // Contracts as YAML.
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = "workload: [" #!
  cert     = FILE(image.crt)
}"#,
        "contract:1",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = yamlencode({ workload = { type = "workload" } }) #!
  cert     = FILE(image.crt)
}"#,
        "the key `env` is missing",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = yamlencode({ workload = { type = "workload", compose = { archive = "AAAA" } }, env = { type = "env" } }) #!
  cert     = FILE(image.crt)
}"#,
        "logging",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = yamlencode({ workload = "hyper-protect-basic.x", env = "type: env" }) #!
  cert     = FILE(image.crt)
}"#,
        "malformed",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = SEALED
  cert     = FILE(image.crt)
  privkey  = "nonsense" #!
}"#,
        "private key",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = SEALED
  cert     = FILE(image.crt)
  privkey  = FILE(locked.pem) #!
}"#,
        "is encrypted",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = SEALED
  cert     = FILE(image.crt)
  privkey  = FILE(locked.pem)
  password = "wrong" #!
}"#,
        "does not open",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" {
  contract = SEALED
  cert     = FILE(image.crt)
  privkey  = FILE(curve.pem) #!
}"#,
        "no RSA key",
    ),
    // Contracts that end.
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 0 #!
  AUTHORITY
  csrparams = {}
}"#,
        "from 1 to 36500",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 1.5 #!
  AUTHORITY
  csrparams = {}
}"#,
        "whole number",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  cacert    = "nonsense" #!
  cakey     = FILE(authority.key)
  csrparams = {}
}"#,
        "no certificate",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  cacert    = FILE(authority.crt)
  cakey     = "nonsense" #!
  csrparams = {}
}"#,
        "private key",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  privkey   = FILE(sign.pem)
  AUTHORITY
  csr       = FILE(request.pem) #!
  csrparams = {}
}"#,
        "Both csr and csrparams",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" { #!
  contract = SEALED
  cert     = FILE(image.crt)
  expiry   = 9
  AUTHORITY
}"#,
        "Neither csr nor csrparams",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" { #!
  contract = SEALED
  cert     = FILE(image.crt)
  expiry   = 9
  AUTHORITY
  csr      = FILE(request.pem)
}"#,
        "private key of csr",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  AUTHORITY
  csrparams = {
    city = "Berlin" #!
  }
}"#,
        "Write one of country",
    ),
    (
        r#"
resource "hpcr_contract_encrypted" "NAME" { #!
  contract = CLOSED
  cert     = FILE(image.crt)
}"#,
        "does not know the key that signs",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = CLOSED
  cert      = FILE(image.crt)
  privkey   = FILE(sign.pem)
  expiry    = 9 #!
  AUTHORITY
  csrparams = {}
}"#,
        "cannot be given an end",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  cacert    = FILE(authority.crt)
  cakey     = FILE(sign.pem) #!
  csrparams = {}
}"#,
        "cacert and cakey of one authority",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  cacert    = FILE(sign.pem) #!
  cakey     = FILE(authority.key)
  csrparams = {}
}"#,
        "holds no certificate",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  AUTHORITY
  csrparams = {
    country = "India" #!
  }
}"#,
        "two letters",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  AUTHORITY
  privkey   = FILE(image.key)
  csr       = FILE(request.pem) #!
}"#,
        "csr and privkey of one pair",
    ),
    (
        r#"
resource "hpcr_contract_encrypted_contract_expiry" "NAME" {
  contract  = SEALED
  cert      = FILE(image.crt)
  expiry    = 9
  AUTHORITY
  privkey   = FILE(sign.pem)
  csr       = "nonsense" #!
}"#,
        "cannot be parsed",
    ),
];
