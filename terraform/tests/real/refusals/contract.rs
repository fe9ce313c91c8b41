//! Wrong contracts of attributes: a block, and words of its error, which is at the line with `#!`.

use super::Case;

/// What `terraform validate` finds.
pub(crate) const CASES: &[Case] = &[
    // Contracts of attributes.
    (
        r#"
resource "hpcr_contract" "NAME" { #!
  cert = FILE(image.crt)
}"#,
        "There is no section",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert          = FILE(image.crt)
  workload      = APP
  workload_yaml = "type: workload" #!
}"#,
        "given twice",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  workload = APP
  env = {
    logging = { syslog = { hostname = 5 < 6 ? "not a host" : "", server = FILE(authority.crt) } } #!
  }
}"#,
        "env.logging.syslog.hostname",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  workload = APP
  env = {
    logging = { syslog = { hostname = "logs.example" } } #!
  }
}"#,
        "server",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  workload = APP
  env = {
    logging = { syslog = { hostname = "logs.example", port = 70000, server = FILE(authority.crt) } } #!
  }
}"#,
        "env.logging.syslog.port",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  workload = APP
  env = {
    logging = { #!
      syslog     = { hostname = "logs.example", server = FILE(authority.crt) }
      log_router = { hostname = "logs.example", iam_api_key = "0123456789" }
    }
  }
}"#,
        "syslog, log_router",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert = FILE(image.crt)
  workload = {
    compose = { archive = "not base64!" } #!
  }
}"#,
        "workload.compose.archive",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert = FILE(image.crt)
  workload = {
    compose = ARCHIVE
    volumes = { data = { seed = "a-seed-of-the-workload", mount = "data" } } #!
  }
}"#,
        r#"workload.volumes["data"].mount"#,
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert = FILE(image.crt)
  workload = {
    compose = ARCHIVE
    volumes = { data = { seed = "short" } } #!
  }
}"#,
        r#"workload.volumes["data"].seed"#,
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  platform = "ccrv"
  workload_yaml = yamlencode({ type = "workload", compose = ARCHIVE }) #!
}"#,
        "compose",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert          = FILE(image.crt)
  workload_yaml = "type: [" #!
}"#,
        "workload_yaml",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  env_yaml = "type: workload" #!
}"#,
        "env_yaml",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  workload = APP
  env      = { logging = { syslog = { hostname = "logs.example", server = FILE(authority.crt) } } }
  attestation_public_key = "nonsense" #!
}"#,
        "attestation_public_key",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert      = FILE(image.crt)
  recipient = "age1tyxr5m9uv6swxcpml6mgpfv2akl6nlem8snvkcl0fflc7kyj0slq6s0msw" #!
  workload  = APP
}"#,
        "Both cert and recipient",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  recipient = "age1nonsense" #!
  workload  = APP
}"#,
        "age key",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert        = FILE(image.crt)
  workload    = APP
  signing_key = FILE(sign.pem) #!
}"#,
        "on its own is not signed",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert           = FILE(image.crt)
  TOKENS
  signing_key    = FILE(sign.pem)
  signing_key_wo = FILE(sign.pem) #!
}"#,
        "given twice",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  TOKENS
  signing_key   = "nonsense" #!
}"#,
        "private key",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  TOKENS
  signing_key_password = "x" #!
}"#,
        "without its key",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  HALF
  ca_cert       = FILE(authority.crt)
  ca_key        = FILE(authority.key)
  expiry_days   = 0 #!
}"#,
        "from 1 to 36500",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  HALF
  ca_cert       = FILE(authority.crt)
  ca_key        = FILE(authority.key)
  expiry_days   = 3
  expiry_date   = "2090-01-01" #!
}"#,
        "Both expiry_days and expiry_date",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  HALF
  ca_cert       = FILE(authority.crt)
  ca_key        = FILE(authority.key)
  expiry_date   = "tomorrow" #!
}"#,
        "no date",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" { #!
  HALF
  expiry_days   = 3
}"#,
        "The authority is not given",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  HALF
  ca_cert       = FILE(authority.crt)
  ca_key        = FILE(curve.pem) #!
  expiry_days   = 3
}"#,
        "no RSA key",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  HALF
  ca_cert       = FILE(authority.crt)
  ca_key        = FILE(sign.pem) #!
  expiry_days   = 3
}"#,
        "ca_cert and ca_key of one authority",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  TOKENS
  ca_cert       = FILE(authority.crt)
  ca_key        = FILE(authority.key)
  expiry_days   = 3 #!
}"#,
        "cannot be given an end",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  TOKENS
  signing_key = FILE(locked.pem) #!
}"#,
        "is encrypted",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert     = FILE(image.crt)
  env_yaml = yamlencode({ type = "env", logging = { syslog = { hostname = "logs.example", server = FILE(authority.crt) } }, volumes = { data = { seed = "short" } } }) #!
}"#,
        "At env_yaml.volumes.data.seed.",
    ),
    (
        r#"
resource "hpcr_contract" "NAME" {
  cert = FILE(image.crt)
  workload = {
    play = { resources = [{ apiVersion = "v1", kind = "Pod", metadata = { name = "web" }, spec = { containers = "none" } }] } #!
  }
}"#,
        "At workload.play.resources[0]",
    ),
];
