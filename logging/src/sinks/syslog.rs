//! A syslog collector over TLS 1.2 or 1.3 (RFC 5425), with mutual authentication.
//!
//! Only the authorities of the contract vouch for the collector, whose name or address must be a subject alternative
//! name of its certificate. Every connection proves both sides anew: sessions are never resumed, and no early data is
//! sent. This module never retries and never looks at a log line.

use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::plan::{ClientIdentity, Syslog};
use hpcr_contract::secret::ExposeSecret;
use rustix::net::sockopt;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{Cause, LoggingError, Material};
use crate::send_queue::{Counted, Gauge, counted};

/// How long one try may take: resolving, connecting and shaking hands.
const TRY: Duration = Duration::from_secs(5);
/// How long one address may take to answer, so that the next one still gets its turn.
const CONNECT: Duration = Duration::from_secs(2);
/// How many addresses of a name are tried.
const ADDRESSES: usize = 4;
/// A connection whose other side is silent for so long is asked for a sign of life.
const IDLE: Duration = Duration::from_secs(30);
/// A connection on which nothing is acknowledged for so long is given up, in milliseconds.
const SILENCE: u32 = 60_000;

/// A collector whose part of the plan has been checked: everything needed to connect, and nothing done yet.
#[derive(Debug, Clone)]
pub struct Endpoint {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TlsStream<Counted>,
    pub(crate) gauge: Gauge,
}

/// Checks names, certificates and keys, without any effect: what passes here can be refused by the collector only.
pub fn check(plan: &Syslog) -> Result<Endpoint, LoggingError> {
    let refused = |field| move |problem| LoggingError::Material { field, problem };
    let mut roots = RootCertStore::empty();
    for authority in
        certificates(&plan.authorities, Material::NoServerCertificate).map_err(refused("server"))?
    {
        roots
            .add(authority)
            .map_err(|_| refused("server")(Material::Damaged))?;
    }
    let collector = |cause| LoggingError::Collector {
        host: plan.host.clone(),
        port: plan.port,
        cause,
    };
    let name = ServerName::try_from(plan.host.clone()).map_err(|_| collector(Cause::BadName))?;
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls_openssl::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|_| collector(Cause::NothingInCommon))?
        .with_root_certificates(roots);
    let mut tls = match &plan.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let chain = certificates(&client.certificate, Material::NoClientCertificate)
                .map_err(refused("cert"))?;
            let key = private_key(client).map_err(refused("key"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| match error {
                    rustls::Error::InconsistentKeys(_) => refused("key")(Material::KeyMismatch),
                    rustls::Error::InvalidCertificate(_) => refused("cert")(Material::Damaged),
                    _ => refused("key")(Material::UnknownKeyType),
                })?
        }
    };
    tls.resumption = Resumption::disabled();
    Ok(Endpoint {
        host: plan.host.clone(),
        port: plan.port,
        name,
        tls: Arc::new(tls),
    })
}

impl Endpoint {
    /// The failure of this collector for that cause.
    pub(crate) fn error(&self, cause: Cause) -> LoggingError {
        LoggingError::Collector {
            host: self.host.clone(),
            port: self.port,
            cause,
        }
    }

    /// Connects once. With TLS 1.3 the collector has not judged our certificate yet when this returns.
    pub(crate) async fn connect(&self) -> Result<Connection, Cause> {
        timeout(TRY, self.dial())
            .await
            .unwrap_or(Err(Cause::Timeout))
    }

    async fn dial(&self) -> Result<Connection, Cause> {
        let found = lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|_| Cause::Lookup)?;
        let mut last = Cause::Lookup;
        for address in found.take(ADDRESSES) {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return self.shake_hands(stream).await,
                Ok(Err(error)) => last = Cause::of_io(&error),
                Err(_) => last = Cause::Timeout,
            }
        }
        Err(last)
    }

    async fn shake_hands(&self, stream: TcpStream) -> Result<Connection, Cause> {
        let socket = |error: rustix::io::Errno| Cause::of_io(&error.into());
        sockopt::set_tcp_nodelay(&stream, true).map_err(socket)?;
        sockopt::set_socket_keepalive(&stream, true).map_err(socket)?;
        sockopt::set_tcp_keepidle(&stream, IDLE).map_err(socket)?;
        sockopt::set_tcp_user_timeout(&stream, SILENCE).map_err(socket)?;
        let (stream, gauge) = counted(stream).map_err(|error| Cause::of_io(&error))?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| Cause::of_io(&error))?;
        Ok(Connection { stream, gauge })
    }
}

/// All certificates of a PEM text, at least one.
fn certificates(pem: &[u8], missing: Material) -> Result<Vec<CertificateDer<'static>>, Material> {
    blocks(pem, missing)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| Material::Damaged)?;
    if found.is_empty() {
        Err(missing)
    } else {
        Ok(found)
    }
}

/// The first private key of a PEM text.
fn private_key(client: &ClientIdentity) -> Result<PrivateKeyDer<'static>, Material> {
    let pem = client.key.expose_secret();
    blocks(pem.as_bytes(), Material::NoPrivateKey)?;
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(key) => Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) if pem.contains("PRIVATE KEY-----") => {
            Err(Material::UnknownKeyType)
        }
        Err(rustls::pki_types::pem::Error::NoItemsFound) => Err(Material::NoPrivateKey),
        Err(_) => Err(Material::Damaged),
    }
}

/// Tells text without PEM from no text at all.
fn blocks(pem: &[u8], missing: Material) -> Result<(), Material> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    if pem.trim_ascii().is_empty() {
        Err(missing)
    } else if pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
        Ok(())
    } else {
        Err(Material::NoPemBlock)
    }
}
