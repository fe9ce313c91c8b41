//! The lock file: every package of an image with its version and SHA-256, one line each.
//!
//! It records and compares; it never fetches.

use std::collections::BTreeMap;
use std::path::Path;

use crate::packages::Package;
use crate::{Error, Result, files};

/// Writes the lock file: `NAME VERSION SHA256`, sorted by name.
pub fn write(path: &Path, packages: &[Package]) -> Result<()> {
    files::write(path, render(packages).as_bytes(), 0o644)
}

/// Fails unless the packages are exactly those of the lock file.
pub fn verify(path: &Path, packages: &[Package]) -> Result<()> {
    let text = files::read_to_string(path)?;
    let locked = parse(&text).map_err(|line| Error::LockSyntax {
        path: path.to_path_buf(),
        line,
    })?;
    let differences = compare(&locked, packages);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Error::LockDiffers {
            path: path.to_path_buf(),
            differences,
        })
    }
}

fn render(packages: &[Package]) -> String {
    let mut lines: Vec<_> = packages
        .iter()
        .map(|package| format!("{} {} {}\n", package.name, package.version, package.sha256))
        .collect();
    lines.sort();
    lines.concat()
}

type Locked<'a> = BTreeMap<&'a str, (&'a str, &'a str)>;

/// Fails with the number of the line, from 1.
fn parse(text: &str) -> std::result::Result<Locked<'_>, usize> {
    let mut locked = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, version, sha256] = words[..] else {
            return Err(index + 1);
        };
        if locked.insert(name, (version, sha256)).is_some() {
            return Err(index + 1);
        }
    }
    Ok(locked)
}

fn compare(locked: &Locked<'_>, packages: &[Package]) -> Vec<String> {
    let mut rest = locked.clone();
    let mut differences = Vec::new();
    for Package {
        name,
        version,
        sha256,
        ..
    } in packages
    {
        match rest.remove(name.as_str()) {
            None => differences.push(format!("{name} {version} is not in the lock file")),
            Some((old, _)) if old != version => {
                differences.push(format!("{name} is {version}, locked is {old}"));
            }
            Some((_, digest)) if digest != sha256 => {
                differences.push(format!("{name} {version} has another SHA-256"));
            }
            Some(_) => {}
        }
    }
    differences.extend(
        rest.keys()
            .map(|name| format!("{name} is locked and not used")),
    );
    differences
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn package(name: &str, version: &str, sha256: &str) -> Package {
        Package {
            name: name.into(),
            version: version.into(),
            sha256: sha256.into(),
            deb: "x.deb".into(),
        }
    }

    #[test]
    fn what_was_written_verifies() {
        let packages = [
            package("nftables", "1.1.3-1", "bb"),
            package("crun", "1.21-1", "aa"),
        ];
        let text = render(&packages);
        assert_eq!(text, "crun 1.21-1 aa\nnftables 1.1.3-1 bb\n");
        assert!(compare(&parse(&text).unwrap(), &packages).is_empty());
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let text = "crun 1.21-1 aa\nnftables 1.1.3-1 bb\ngone 1 cc\n";
        let now = [
            package("crun", "1.21-2", "aa"),
            package("nftables", "1.1.3-1", "xx"),
            package("new", "1", "dd"),
        ];
        assert_eq!(
            compare(&parse(text).unwrap(), &now),
            [
                "crun is 1.21-2, locked is 1.21-1",
                "nftables 1.1.3-1 has another SHA-256",
                "new 1 is not in the lock file",
                "gone is locked and not used"
            ]
        );
    }

    #[test]
    fn a_damaged_line_is_named() {
        assert_eq!(parse("crun 1.21-1 aa\ncrun\n"), Err(2));
        assert_eq!(parse("crun 1 aa\ncrun 2 bb\n"), Err(2));
    }
}
