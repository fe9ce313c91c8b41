//! How Terraform starts and ends a provider (HashiCorp, go-plugin): a handshake in the environment and on standard
//! output, one connection over a Unix socket with TLS on both sides, and a call that ends the process.
//!
//! Nothing here knows a resource. Without Terraform's side of the handshake nothing is served.

use std::env;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use thiserror::Error;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::time;
use tonic::transport::Server;

use crate::provider::Provider;

mod identity;
mod incoming;
mod service;

/// What Terraform puts into the environment of those that it takes for providers.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);
/// The version of the provider protocol that is spoken here.
const PROTOCOL: &str = "6";
/// How often it is looked whether Terraform is still there.
const WATCH: Duration = Duration::from_secs(2);
/// How long calls that run may take after the one that ends the process.
const LAST_CALLS: Duration = Duration::from_secs(1);

/// Why nothing can be served.
#[derive(Debug, Error)]
pub(crate) enum PluginError {
    #[error(
        "Terraform does not speak version 6 of the provider protocol; use Terraform 1.8 or later"
    )]
    Protocol,
    #[error("Terraform gave no certificate of its own; let Terraform start the provider")]
    NoCertificate,
    #[error("Terraform's certificate cannot be read; let Terraform start the provider")]
    Certificate,
    #[error("TLS cannot be set up: {0}; report this as a bug")]
    Tls(#[from] rustls::Error),
    #[error("a certificate cannot be made: {0}; report this as a bug")]
    Library(#[from] openssl::error::ErrorStack),
    #[error("the socket cannot be set up: {0}; check the folder for temporary files")]
    Socket(#[from] io::Error),
    #[error("the connection failed: {0}; run Terraform again")]
    Connection(#[from] tonic::transport::Error),
}

/// Whether Terraform has started this process.
pub(crate) fn is_expected() -> bool {
    env::var(COOKIE.0).is_ok_and(|value| value == COOKIE.1)
}

/// Serves until Terraform ends it or is gone.
pub(crate) async fn serve(provider: Provider) -> Result<(), PluginError> {
    let versions = env::var("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
    if !versions
        .split(',')
        .any(|version| version.trim() == PROTOCOL)
    {
        return Err(PluginError::Protocol);
    }
    let client = env::var("PLUGIN_CLIENT_CERT").map_err(|_| PluginError::NoCertificate)?;
    let identity = identity::Identity::generate()?;
    let tls = identity.accepting(&client)?;

    let folder = tempfile::Builder::new()
        .prefix("hpcr-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()?;
    let socket = folder.path().join("provider.sock");
    let listener = UnixListener::bind(&socket)?;
    let line = format!(
        "1|{PROTOCOL}|unix|{}|grpc|{}\n",
        socket.display(),
        STANDARD_NO_PAD.encode(&identity.certificate)
    );
    let mut output = io::stdout();
    output.write_all(line.as_bytes())?;
    output.flush()?;

    let (end, ended) = watch::channel(false);
    tokio::spawn(leave_interrupts_to_terraform());
    // Terraform waits for the process to be gone: it goes with the last answer.
    let server = Server::builder().serve_with_incoming_shutdown(
        service::Calls::new(provider, end),
        incoming::connections(listener, tls),
        over(ended.clone()),
    );
    tokio::select! {
        outcome = server => outcome?,
        () = async { over(ended).await; time::sleep(LAST_CALLS).await } => {}
    }
    Ok(())
}

/// Ends when Terraform has no more calls, or is gone without a word.
async fn over(mut ended: watch::Receiver<bool>) {
    tokio::select! {
        // Whoever tells it lives as long as the server.
        _ = ended.wait_for(|over| *over) => {}
        () = orphaned() => {}
    }
}

/// A terminal sends its interrupt to every process; Terraform alone decides what becomes of the providers.
async fn leave_interrupts_to_terraform() {
    while tokio::signal::ctrl_c().await.is_ok() {}
}

/// Ends when Terraform is gone without a word.
async fn orphaned() {
    let parent = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == parent {
        time::sleep(WATCH).await;
    }
}
