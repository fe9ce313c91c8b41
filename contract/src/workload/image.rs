//! Reads an image's name: only one with a digest becomes an [`ImageReference`].
//!
//! Short names mean Docker Hub, as everywhere (`nginx@sha256:...` is `docker.io/library/nginx@sha256:...`). A tag beside
//! a digest says nothing that the digest does not, and is dropped. Nothing here asks a registry.

use super::Surroundings;
use super::reader::{Reader, Value};
use crate::finding::Level;
use crate::messages;
use crate::plan::ImageReference;

/// The registry that short names mean.
pub(super) const DOCKER_HUB: &str = "docker.io";

/// Why a name is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// A user or a password: no secret belongs into a name.
    Credentials,
    /// No digest: nobody can say what would run.
    NoDigest,
    /// Not `sha256:` and 64 lowercase hexadecimal digits.
    BadDigest,
    /// Not a name of the distribution specification.
    BadName,
}

/// Reads a name such as `registry.example:5000/team/web:1.2@sha256:...`.
///
/// # Errors
/// Why it is not run.
pub(super) fn parse(name: &str) -> Result<ImageReference, Problem> {
    let (name, digest) = name.split_once('@').ok_or(Problem::NoDigest)?;
    // A digest has no folder; what follows a user does.
    if digest.contains('/') {
        return Err(Problem::Credentials);
    }
    if !is_digest(digest) {
        return Err(Problem::BadDigest);
    }
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if is_registry(first) => (first, path.to_owned()),
        Some(_) => (DOCKER_HUB, name.to_owned()),
        None => (DOCKER_HUB, format!("library/{name}")),
    };
    let repository = match path.rsplit_once(':') {
        Some((repository, tag)) if is_tag(tag) => repository,
        Some(_) => return Err(Problem::BadName),
        None => &path,
    };
    let registry = canonical_registry(registry);
    if repository.len() > 255 || !is_host(&registry) || !repository.split('/').all(is_component) {
        return Err(Problem::BadName);
    }
    Ok(ImageReference {
        registry,
        repository: repository.to_owned(),
        digest: digest.to_owned(),
    })
}

/// Reads the image of `owner` (`the service web`), reporting why it cannot be run.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    owner: &str,
    surroundings: &Surroundings<'_>,
) -> Option<ImageReference> {
    let text = reader.text(value)?;
    let mut level = Level::Error;
    let (cause, remedy) = match parse(&text) {
        Ok(image) => return Some(image),
        Err(Problem::Credentials) => (
            format!("the name of the image of {owner} has a user before its registry"),
            "write `registry/name@sha256:...`, and user and password under `auths`",
        ),
        Err(Problem::NoDigest) if is_signed(&text, surroundings.signed) => {
            level = Level::Limit;
            (
                format!(
                    "the image of {owner} has a signature key and no digest: this version verifies digests alone"
                ),
                "write `registry/name@sha256:...`, which needs no key",
            )
        }
        Err(Problem::NoDigest) => (
            format!("the image of {owner} is not named by digest"),
            "write `registry/name@sha256:...`; the registry tells the digest when the image is pushed",
        ),
        Err(Problem::BadDigest) => (
            format!("the digest of the image of {owner} is malformed"),
            "write `@sha256:` and 64 lowercase hexadecimal digits",
        ),
        Err(Problem::BadName) => (
            format!("the image of {owner} has no name that a registry could know"),
            "write `registry/name@sha256:...` in lowercase",
        ),
    };
    reader.refuse_as(level, messages::IMAGE_MISMATCH, value, cause, remedy);
    None
}

/// Whether a key is given for an image, with its tag or without.
fn is_signed(name: &str, signed: &[String]) -> bool {
    let untagged = match name.rsplit_once(':') {
        Some((untagged, tag)) if !tag.contains('/') => untagged,
        _ => name,
    };
    signed
        .iter()
        .any(|signed| signed == name || signed == untagged)
}

/// Stands in while the rest of a service is looked at whose image is refused; such a service never runs.
pub(super) fn refused() -> ImageReference {
    ImageReference {
        registry: String::new(),
        repository: String::new(),
        digest: String::new(),
    }
}

/// The one spelling of a registry that credentials and images meet under: Docker Hub has three.
pub(crate) fn canonical_registry(name: &str) -> String {
    match name {
        "https://index.docker.io/v1/" | "index.docker.io" | "registry-1.docker.io" => {
            DOCKER_HUB.to_owned()
        }
        other => other.to_ascii_lowercase(),
    }
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// The first part of a name is a registry where it looks like a host, and else a folder of Docker Hub.
fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':'])
}

/// `host` or `host:port`.
fn is_host(registry: &str) -> bool {
    let (host, port) = registry
        .split_once(':')
        .map_or((registry, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253
        && host.split('.').all(label)
        && port.is_none_or(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (OCI distribution specification).
fn is_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inside = component.trim_matches(alphanumeric);
    component.starts_with(alphanumeric)
        && component.ends_with(alphanumeric)
        && inside.split(alphanumeric).all(|between| {
            matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_become_registry_repository_and_digest() {
        for (name, expected) in [
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1.27", "docker.io/library/nginx"),
            ("bitnami/nginx", "docker.io/bitnami/nginx"),
            ("index.docker.io/library/nginx", "docker.io/library/nginx"),
            ("localhost/web", "localhost/web"),
            ("localhost:5000/web:latest", "localhost:5000/web"),
            ("10.0.2.2:5000/team/web", "10.0.2.2:5000/team/web"),
            (
                "Registry.Example/a/b__c/d--e/f.g:V1",
                "registry.example/a/b__c/d--e/f.g",
            ),
        ] {
            assert_eq!(
                parse(&format!("{name}@{DIGEST}")).unwrap().to_string(),
                format!("{expected}@{DIGEST}")
            );
        }
    }

    #[test]
    fn what_could_run_something_else_is_refused() {
        let upper = DIGEST.replace('e', "E");
        for (name, problem) in [
            ("nginx".to_owned(), Problem::NoDigest),
            ("registry.example/web:1".to_owned(), Problem::NoDigest),
            (format!("nginx@{upper}"), Problem::BadDigest),
            (format!("nginx@{}", &DIGEST[..70]), Problem::BadDigest),
            (format!("nginx@{DIGEST}@{DIGEST}"), Problem::BadDigest),
            (format!("bob:hunter2@a.b/c@{DIGEST}"), Problem::Credentials),
            ("bob:hunter2@a.b/c".to_owned(), Problem::Credentials),
            ("nginx@sha512:00".to_owned(), Problem::BadDigest),
            (format!("@{DIGEST}"), Problem::BadName),
            (format!("UPPER@{DIGEST}"), Problem::BadName),
            (format!("a/../b@{DIGEST}"), Problem::BadName),
            (format!("a//b@{DIGEST}"), Problem::BadName),
            (format!("a.b/c?x=1@{DIGEST}"), Problem::BadName),
            (format!("user:pass.example/c@{DIGEST}"), Problem::BadName),
            (format!("a.b:0/c@{DIGEST}"), Problem::BadName),
            (format!("a.b:+80/c@{DIGEST}"), Problem::BadName),
            (format!("a:b:c@{DIGEST}"), Problem::BadName),
            (format!("-a.b/c@{DIGEST}"), Problem::BadName),
        ] {
            assert_eq!(parse(&name), Err(problem), "{name}");
        }
    }

    #[test]
    fn the_names_of_docker_hub_are_one() {
        for name in [
            "https://index.docker.io/v1/",
            "index.docker.io",
            "docker.io",
        ] {
            assert_eq!(canonical_registry(name), DOCKER_HUB);
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_the_same_again(name in "[a-z0-9A-Z./:_-]{0,40}") {
            if let Ok(image) = parse(&format!("{name}@{DIGEST}")) {
                prop_assert_eq!(parse(&image.to_string()), Ok(image));
            }
        }
    }
}
