//! The machine's own package sources, read and rewritten for another suite.
//!
//! Both forms of `sources.list(5)` are read: one-line `.list` and deb822 `.sources`. Only entries that look like the
//! Debian archive's are kept; that they really are is checked later, on the signed Release files. No address of an
//! archive is written in this program: it is always the machine's own.

/// One entry of the sources, of packages in binary form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Addresses of archives.
    pub uris: Vec<String>,
    /// `bookworm`, `bookworm-updates` ...
    pub suites: Vec<String>,
    /// `main` ...
    pub components: Vec<String>,
    /// The key ring, a fingerprint, or the key itself (continuation lines, as they were).
    pub signed_by: Option<String>,
}

/// Reads a one-line style file (`deb [signed-by=...] URI SUITE COMPONENT...`).
pub fn parse_list(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_list_line).collect()
}

fn parse_list_line(line: &str) -> Option<Source> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let rest = line.strip_prefix("deb")?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="))
        .map(str::to_owned);
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Source {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by,
    })
}

/// Reads a deb822 style file (stanzas of `Types`, `URIs`, `Suites`, `Components`, `Signed-By`).
pub fn parse_sources(text: &str) -> Vec<Source> {
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines
        .split(|line| line.trim().is_empty())
        .filter_map(parse_stanza)
        .collect()
}

fn parse_stanza(lines: &[&str]) -> Option<Source> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut()?;
            value.push('\n');
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(':')?;
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let field = |name: &str| {
        fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    let words = |name: &str| -> Vec<String> {
        field(name)
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let enabled = field("enabled").is_none_or(|value| !matches!(value.as_str(), "no" | "false"));
    let source = Source {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        signed_by: field("signed-by"),
    };
    (enabled && words("types").iter().any(|kind| kind == "deb")).then_some(source)
}

/// The sources of `suite`, as a deb822 file: the Debian entries among `sources`, each with its own suites replaced
/// by their counterparts. `None` if there are none.
pub fn rewrite(sources: &[Source], suite: &str) -> Option<String> {
    let mut stanzas: Vec<String> = sources
        .iter()
        .filter(|source| is_debian(source))
        .filter_map(|source| stanza(source, suite))
        .collect();
    stanzas.dedup();
    (!stanzas.is_empty()).then(|| stanzas.join("\n"))
}

/// Key rings decide where they are named, since other vendors have archives for the same suites; the address otherwise.
fn is_debian(source: &Source) -> bool {
    let main = source
        .components
        .iter()
        .any(|component| component == "main");
    let ours = match source.signed_by.as_deref() {
        Some(keys) if keys.starts_with('/') => keys.contains("/debian-archive-"),
        _ => source.uris.iter().any(|uri| uri.contains("debian")),
    };
    main && ours
}

fn stanza(source: &Source, suite: &str) -> Option<String> {
    let uris: Vec<_> = source
        .uris
        .iter()
        .filter(|uri| !uri.starts_with("cdrom:"))
        .map(String::as_str)
        .collect();
    let mut suites: Vec<_> = source
        .suites
        .iter()
        .filter_map(|old| counterpart(old, suite))
        .collect();
    suites.dedup();
    if uris.is_empty() || suites.is_empty() {
        return None;
    }
    let signed_by = source
        .signed_by
        .as_ref()
        .map(|keys| format!("Signed-By: {keys}\n"))
        .unwrap_or_default();
    Some(format!(
        "Types: deb\nURIs: {}\nSuites: {}\nComponents: main\n{signed_by}",
        uris.join(" "),
        suites.join(" ")
    ))
}

/// `bookworm-security` and suite `trixie` give `trixie-security`; proposals, backports and vendors' own give nothing.
fn counterpart(old: &str, suite: &str) -> Option<String> {
    // The ever-moving suite has neither point updates nor a security archive of its own.
    let moving = matches!(suite, "sid" | "unstable");
    if old.ends_with("-security") || old.ends_with("/updates") {
        return (!moving).then(|| format!("{suite}-security"));
    }
    if old.ends_with("-updates") && !old.ends_with("-proposed-updates") {
        return (!moving).then(|| format!("{suite}-updates"));
    }
    (!old.contains(['-', '/', '.'])).then(|| suite.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const DEB822: &str = "\
Types: deb deb-src
# http://snapshot.example/archive
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
";

    #[test]
    fn a_deb822_file_keeps_its_addresses_and_keys_and_changes_its_suites() {
        let text = rewrite(&parse_sources(DEB822), "trixie").unwrap();
        assert_eq!(
            text,
            "Types: deb\nURIs: http://archive.example/debian\nSuites: trixie trixie-updates\nComponents: main\n\
             Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\
             Types: deb\nURIs: http://archive.example/debian-security\nSuites: trixie-security\nComponents: main\n\
             Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        );
    }

    #[test]
    fn one_line_entries_are_read_with_and_without_options() {
        let text = "# deb http://old.example/debian bullseye main\n\
                    deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.example/x bookworm main non-free # comment\n\
                    deb\thttp://mirror.example/debian-security bookworm/updates main\n\
                    deb-src http://mirror.example/debian bookworm main\n";
        let sources = parse_list(text);
        assert_eq!(sources.len(), 2);
        let text = rewrite(&sources, "trixie").unwrap();
        assert!(
            text.contains("URIs: https://mirror.example/x\nSuites: trixie\n"),
            "{text}"
        );
        assert!(text.contains("Suites: trixie-security\n"), "{text}");
    }

    #[test]
    fn other_vendors_and_disabled_entries_are_left_out() {
        for text in [
            "Types: deb\nURIs: https://vendor.example/linux/debian\nSuites: bookworm\nComponents: stable\n",
            "Types: deb\nURIs: https://vendor.example/debian\nSuites: bookworm\nComponents: main\nSigned-By: /usr/share/keyrings/vendor.gpg\n",
            "Types: deb\nURIs: https://vendor.example/repos/apt\nSuites: bookworm-pgdg\nComponents: main\n",
            "Enabled: no\nTypes: deb\nURIs: http://archive.example/debian\nSuites: bookworm\nComponents: main\n",
            "Types: deb-src\nURIs: http://archive.example/debian\nSuites: bookworm\nComponents: main\n",
            "Types: deb\nURIs: cdrom:[Debian]/\nSuites: bookworm\nComponents: main\n",
            "Types: deb\nURIs: http://archive.example/debian\nSuites: bookworm-backports\nComponents: main\n",
        ] {
            assert_eq!(rewrite(&parse_sources(text), "trixie"), None, "{text}");
        }
    }

    #[test]
    fn a_key_inside_the_entry_is_kept_line_by_line() {
        let text = "Types: deb\nURIs: http://archive.example/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME\n";
        let text = rewrite(&parse_sources(text), "trixie").unwrap();
        assert!(
            text.ends_with("Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME\n"),
            "{text}"
        );
    }

    #[test]
    fn unstable_has_no_security_archive() {
        let text = rewrite(&parse_sources(DEB822), "sid").unwrap();
        assert!(
            text.contains("Suites: sid\n") && !text.contains("security"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}(\n\\PC{0,80}){0,5}") {
            let sources: Vec<_> = parse_list(&text).into_iter().chain(parse_sources(&text)).collect();
            let _ = rewrite(&sources, "trixie");
        }
    }
}
