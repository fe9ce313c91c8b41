//! A registry over TLS (OCI distribution specification 1.1): bytes by digest, and what went wrong in plain words.
//!
//! What is read here is not verified yet: [`crate::fetch`] does that.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hpcr_contract::plan::{Credentials, ImageReference};
use oci_spec::distribution::Reference;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;

use crate::error::{ContainerError, RegistryFault};
use crate::limits;
use crate::token;
use crate::verify::Digest;

/// The client, and the credentials of the contract.
pub(crate) struct Registries {
    http: reqwest::Client,
    credentials: BTreeMap<String, Credentials>,
}

/// One image's repository, with the token for it.
pub(crate) struct Repository<'a> {
    registries: &'a Registries,
    reference: Reference,
    authorization: Mutex<Option<(Instant, Option<HeaderValue>)>>,
}

impl Registries {
    /// Sets up for registries vouched for by `authorities` (PEM, by name) and by the guest's own bundle where it has one.
    pub(crate) fn new(
        credentials: &BTreeMap<String, Credentials>,
        authorities: &BTreeMap<String, Vec<u8>>,
        bundle: Option<&Path>,
    ) -> Result<Self, ContainerError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(ContainerError::Tls {
                cause: "the process has not chosen one".into(),
            });
        }
        let roots = roots(authorities, bundle)?;
        let tls = |error: &dyn std::fmt::Display| ContainerError::Tls {
            cause: error.to_string(),
        };
        let trusted = roots
            .iter()
            .map(|der| reqwest::Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>();
        let http = reqwest::Client::builder()
            .tls_certs_only(trusted.map_err(|e| tls(&e))?)
            .https_only(true)
            .no_proxy()
            .connect_timeout(limits::CONNECT)
            .read_timeout(limits::READ)
            .build();
        Ok(Self {
            http: http.map_err(|e| tls(&e))?,
            credentials: credentials.clone(),
        })
    }

    /// The repository that an image lies in.
    pub(crate) fn repository(&self, image: &ImageReference) -> Repository<'_> {
        let reference = Reference::with_digest(
            image.registry.clone(),
            image.repository.clone(),
            image.digest.clone(),
        );
        Repository {
            registries: self,
            reference,
            authorization: Mutex::new(None),
        }
    }

    fn credentials(&self, registry: &str) -> Option<&Credentials> {
        const DOCKER_HUB: [&str; 3] = [
            "docker.io",
            "https://index.docker.io/v1/",
            "index.docker.io",
        ];
        if DOCKER_HUB.contains(&registry) {
            return DOCKER_HUB
                .iter()
                .find_map(|name| self.credentials.get(*name));
        }
        self.credentials.get(registry)
    }
}

impl Repository<'_> {
    /// Host and port as the contract names them.
    pub(crate) fn registry(&self) -> &str {
        self.reference.registry()
    }

    /// Opens the answer for a manifest or an index.
    pub(crate) async fn manifest(&self, digest: Digest) -> Result<Answer, RegistryFault> {
        self.open("manifests", digest, crate::image::ACCEPTED).await
    }

    /// Opens the answer for a configuration or a layer.
    pub(crate) async fn blob(&self, digest: Digest) -> Result<Answer, RegistryFault> {
        self.open("blobs", digest, "application/octet-stream, */*")
            .await
    }

    async fn open(
        &self,
        kind: &str,
        digest: Digest,
        accept: &'static str,
    ) -> Result<Answer, RegistryFault> {
        let host = self.reference.resolve_registry();
        let url = format!(
            "https://{host}/v2/{}/{kind}/{digest}",
            self.reference.repository()
        );
        let mut request = self.registries.http.get(url).header(ACCEPT, accept);
        if let Some(authorization) = self.authorization().await? {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.send().await.map_err(|error| from_http(&error))?;
        let what = || format!("{} ({kind}/{digest})", self.reference.repository());
        match response.status() {
            StatusCode::OK => Ok(Answer(response)),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(RegistryFault::Unauthorized {
                    status: status.as_u16(),
                })
            }
            StatusCode::NOT_FOUND => Err(RegistryFault::NotFound { what: what() }),
            status => Err(RegistryFault::Status {
                what: what(),
                status: status.as_u16(),
            }),
        }
    }

    /// The value of the Authorization header, asked for again before a token can have run out.
    async fn authorization(&self) -> Result<Option<HeaderValue>, RegistryFault> {
        let mut kept = self.authorization.lock().await;
        if let Some((since, value)) = &*kept
            && since.elapsed() < limits::TOKEN_AGE
        {
            return Ok(value.clone());
        }
        let credentials = self.registries.credentials(self.reference.registry());
        let host = self.reference.resolve_registry();
        let repository = self.reference.repository();
        let http = &self.registries.http;
        let header = token::authorization(http, host, repository, credentials).await?;
        *kept = Some((Instant::now(), header.clone()));
        Ok(header)
    }
}

/// A body that is being received.
pub(crate) struct Answer(reqwest::Response);

impl Answer {
    /// The next piece; none at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, RegistryFault> {
        self.0.chunk().await.map_err(|error| from_http(&error))
    }
}

/// Tries again after transient faults, for as long as the registry is not silent for longer than the patience.
pub(crate) struct Patience {
    last_sign: Instant,
    tries: u32,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self {
            last_sign: Instant::now(),
            tries: 0,
        }
    }

    /// Bytes came.
    pub(crate) fn progress(&mut self) {
        self.last_sign = Instant::now();
    }

    /// Waits before the next try, or gives the fault back when there is to be none.
    pub(crate) async fn after(&mut self, fault: RegistryFault) -> Result<(), RegistryFault> {
        let pause = Duration::from_millis(200) * 2u32.pow(self.tries.min(4));
        self.tries += 1;
        if !fault.transient()
            || self.tries >= limits::TRIES
            || self.last_sign.elapsed() + pause >= limits::PATIENCE
        {
            return Err(fault);
        }
        tracing::debug!(%fault, "another try");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How long the next try may take until its first byte.
    pub(crate) fn left(&self) -> Duration {
        limits::PATIENCE.saturating_sub(self.last_sign.elapsed())
    }
}

/// The header that carries a password.
pub(crate) fn basic(credentials: &Credentials) -> Result<HeaderValue, RegistryFault> {
    use base64::Engine as _;
    let pair = zeroize::Zeroizing::new(format!(
        "{}:{}",
        credentials.username,
        credentials.password.expose_secret()
    ));
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
    token::secret_header(&zeroize::Zeroizing::new(format!("Basic {encoded}")))
}

fn roots(
    authorities: &BTreeMap<String, Vec<u8>>,
    bundle: Option<&Path>,
) -> Result<Vec<CertificateDer<'static>>, ContainerError> {
    let mut roots = Vec::new();
    if let Some(path) = bundle
        && path.exists()
    {
        let pem = std::fs::read(path)
            .map_err(|e| crate::store::fault(path, "reading certificate authorities", e))?;
        roots.extend(CertificateDer::pem_slice_iter(&pem).flatten());
    }
    for (name, pem) in authorities {
        let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        match found {
            Ok(found) if !found.is_empty() => roots.extend(found),
            _ => {
                return Err(ContainerError::Authorities {
                    cause: format!("env.cacerts {name} holds no PEM certificate"),
                });
            }
        }
    }
    if roots.is_empty() {
        return Err(ContainerError::Authorities {
            cause: "neither the contract nor the guest image names an authority".into(),
        });
    }
    Ok(roots)
}

/// What a failed request means.
pub(crate) fn from_http(error: &reqwest::Error) -> RegistryFault {
    // The error's own text carries the URL, which after a redirect can carry a signature; its sources do not.
    let mut cause = if error.is_timeout() {
        "it took too long".to_owned()
    } else {
        String::new()
    };
    let mut source = error.source();
    while let Some(next) = source {
        if let Some(tls) = next
            .downcast_ref::<rustls::Error>()
            .or_else(|| inner_tls(next))
        {
            return match tls {
                rustls::Error::InvalidCertificate(_) => RegistryFault::Certificate {
                    cause: tls.to_string(),
                },
                _ => RegistryFault::Unreachable {
                    cause: format!("TLS: {tls}"),
                },
            };
        }
        cause = next.to_string();
        source = next.source();
    }
    if error.is_redirect() {
        return RegistryFault::Protocol {
            what: "a request".into(),
            cause: "it redirects too often or to no https address".into(),
        };
    }
    RegistryFault::Unreachable {
        cause: if cause.is_empty() {
            "the connection failed".into()
        } else {
            cause
        },
    }
}

/// rustls comes wrapped in one `io::Error` or several, which hide what they hold from `source`.
fn inner_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    inner
        .downcast_ref::<rustls::Error>()
        .or_else(|| inner_tls(inner))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_ends_at_once_for_what_no_further_try_mends() {
        let refused = RegistryFault::Unauthorized { status: 401 };
        assert_eq!(Patience::new().after(refused.clone()).await, Err(refused));
        let busy = RegistryFault::Status {
            what: "a".into(),
            status: 503,
        };
        assert_eq!(Patience::new().after(busy).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_after_a_few_tries() {
        let gone = RegistryFault::Unreachable {
            cause: "refused".into(),
        };
        let mut patience = Patience::new();
        let mut tries = 0;
        while patience.after(gone.clone()).await.is_ok() {
            tries += 1;
        }
        assert_eq!(tries, limits::TRIES - 1);
    }

    #[test]
    fn an_authority_that_is_none_is_named() {
        let authorities = BTreeMap::from([("mine".to_owned(), b"no pem".to_vec())]);
        assert!(
            roots(&authorities, None)
                .unwrap_err()
                .to_string()
                .contains("env.cacerts mine")
        );
        assert!(
            roots(&BTreeMap::new(), None)
                .unwrap_err()
                .to_string()
                .contains("names an authority")
        );
    }
}
