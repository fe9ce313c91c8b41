//! The token handshake of registries (distribution specification, "Token Authentication"): what a registry asks for, and
//! the token that its token service gives. The password goes to the registry and to an https address only.

use hpcr_contract::plan::Credentials;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::RegistryFault;
use crate::limits;
use crate::registry::{basic, from_http};

/// The value of the Authorization header for pulling from a repository of the registry at `host`; none where nothing is
/// asked for and there are no credentials. `http` must refuse what is not https, also behind a redirect.
pub(crate) async fn authorization(
    http: &Client,
    host: &str,
    repository: &str,
    credentials: Option<&Credentials>,
) -> Result<Option<HeaderValue>, RegistryFault> {
    let basic = credentials.map(basic).transpose()?;
    let probe = http.get(format!("https://{host}/v2/")).send().await;
    let probe = probe.map_err(|error| from_http(&error))?;
    let Some(mut service) = token_service(probe.headers())? else {
        return Ok(basic);
    };
    let scope = format!("repository:{repository}:pull");
    service.query_pairs_mut().append_pair("scope", &scope);
    let mut request = http.get(service);
    if let Some(basic) = basic {
        request = request.header(AUTHORIZATION, basic);
    }
    let answer = request.send().await.map_err(|error| from_http(&error))?;
    match answer.status() {
        StatusCode::OK => read(answer).await.map(Some),
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(RegistryFault::Unauthorized {
                status: answer.status().as_u16(),
            })
        }
        status => Err(RegistryFault::Status {
            what: WHAT.into(),
            status: status.as_u16(),
        }),
    }
}

const WHAT: &str = "the request for a token";

fn protocol(cause: &str) -> RegistryFault {
    RegistryFault::Protocol {
        what: WHAT.into(),
        cause: cause.into(),
    }
}

/// The address of the token service, with the name of what tokens are for; none where a registry asks for no token. Pure.
fn token_service(headers: &HeaderMap) -> Result<Option<Url>, RegistryFault> {
    for header in headers.get_all(WWW_AUTHENTICATE) {
        let text = header.to_str().unwrap_or("");
        let challenges = http_auth::parse_challenges(text)
            .map_err(|_| protocol("its WWW-Authenticate header cannot be read"))?;
        let mut challenges = challenges.iter();
        let Some(bearer) = challenges.find(|c| c.scheme.eq_ignore_ascii_case("bearer")) else {
            continue;
        };
        let parameter = |name: &str| {
            let mut all = bearer.params.iter();
            let found = all.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        let realm = parameter("realm").and_then(|realm| Url::parse(&realm).ok());
        let mut realm = realm.ok_or_else(|| protocol("it names no token service"))?;
        if realm.scheme() != "https" {
            return Err(protocol(
                "it names a token service that is not https, where the password could be read on its way. Configure the \
                 registry with an https realm",
            ));
        }
        if let Some(service) = parameter("service") {
            realm.query_pairs_mut().append_pair("service", &service);
        }
        return Ok(Some(realm));
    }
    Ok(None)
}

/// What a token service answers: one of both names, for the same token.
#[derive(Deserialize)]
struct Token {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
}

async fn read(mut answer: reqwest::Response) -> Result<HeaderValue, RegistryFault> {
    let mut body = Zeroizing::new(Vec::with_capacity(limits::TOKEN));
    while let Some(chunk) = answer.chunk().await.map_err(|error| from_http(&error))? {
        if body.len() + chunk.len() > limits::TOKEN {
            return Err(protocol("the token is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    parse(&body)
}

/// Pure.
fn parse(body: &[u8]) -> Result<HeaderValue, RegistryFault> {
    // The parser's own words may repeat a part of the token.
    let token: Token =
        serde_json::from_slice(body).map_err(|_| protocol("the token could not be read"))?;
    let token = token.token.or(token.access_token);
    let token = token.ok_or_else(|| protocol("the answer holds no token"))?;
    secret_header(&Zeroizing::new(format!("Bearer {}", token.expose_secret())))
}

/// A header that no Debug output shows.
pub(crate) fn secret_header(value: &str) -> Result<HeaderValue, RegistryFault> {
    let mut header = HeaderValue::try_from(value)
        .map_err(|_| protocol("the token has bytes that a header cannot carry"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(headers: &[&'static str]) -> Result<Option<String>, String> {
        let values = headers.iter().map(|value| HeaderValue::from_static(value));
        let headers = values.map(|value| (WWW_AUTHENTICATE, value)).collect();
        let service = token_service(&headers).map_err(|fault| fault.to_string())?;
        Ok(service.map(String::from))
    }

    #[test]
    fn a_token_service_is_found_in_what_registries_say() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#;
        let found = "https://auth.docker.io/token?service=registry.docker.io";
        assert_eq!(asked(&[hub]), Ok(Some(found.into())));
        assert_eq!(
            asked(&["Basic realm=\"a\"", "bearer Realm=\"https://a/t?x=1\""]),
            Ok(Some("https://a/t?x=1".into()))
        );
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(asked(&["Basic realm=\"a\""]), Ok(None));
    }

    #[test]
    fn a_token_service_that_is_not_https_is_refused() {
        for realm in [
            "Bearer realm=\"http://auth.example/token\"",
            "Basic realm=\"a\", Bearer realm=\"HTTP://auth.example/token\"",
            "Bearer realm=\"ftp://auth.example\"",
        ] {
            assert!(asked(&[realm]).unwrap_err().contains("not https"));
        }
        for odd in ["Bearer realm=\"/token\"", "Bearer service=\"a\"", "\"\""] {
            assert!(asked(&[odd]).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_token_is_read_by_either_name_and_never_shown() {
        for body in [
            r#"{"token":"abc","expires_in":60}"#,
            r#"{"access_token":"abc"}"#,
            r#"{"token":"abc","access_token":"abc"}"#,
        ] {
            let header = parse(body.as_bytes()).unwrap();
            assert_eq!(header, "Bearer abc");
            assert!(!format!("{header:?}").contains("abc"));
        }
        for body in ["", "{}", r#"{"token":5}"#, r#"{"token":"a\nb"}"#] {
            let fault = parse(body.as_bytes()).unwrap_err().to_string();
            assert!(fault.contains("token"), "{fault}");
        }
    }
}
