//! The host's apt, told to work in a folder of its own.
//!
//! Of the host it takes the Debian sources, the keys and the way to the network (a proxy); whom to trust is never
//! taken from settings, so apt checks signatures as it does by default.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::sources::{self, Source};
use crate::files::{self, io_error};
use crate::{Error, Result};

const ARCHITECTURE: &str = "amd64";

/// Of the host's apt configuration, only how to reach the network; never what to trust.
const HOST_SETTINGS: [&str; 4] = [
    "Acquire::http::",
    "Acquire::https::",
    "Acquire::Retries ",
    "Acquire::ForceIPv",
];

/// apt in a private folder.
#[derive(Debug)]
pub(super) struct Apt {
    dir: PathBuf,
    /// Whether lists will do whose archive says that they are out of date.
    of_any_age: bool,
}

impl Apt {
    /// Writes the configuration for a suite below `dir`, an absolute path.
    pub(super) fn configure(dir: &Path, suite: &str, of_any_age: bool) -> Result<Self> {
        let apt = Self {
            dir: dir.to_path_buf(),
            of_any_age,
        };
        for part in ["etc", "state/lists/partial", "cache/archives/partial"] {
            files::create_dir(&dir.join(part))?;
        }
        let text = sources::rewrite(&host_sources()?, suite).ok_or(Error::NoDebianSources)?;
        files::write(&apt.sources(), text.as_bytes(), 0o644)?;
        files::write(&dir.join("state/status"), b"", 0o644)?;
        // A proxy's address may hold a password.
        files::write(
            &apt.settings(),
            settings(dir, &host_settings()?).as_bytes(),
            0o600,
        )?;
        Ok(apt)
    }

    /// Whether the package lists are there, and from the sources of now.
    pub(super) fn has_lists(&self) -> Result<bool> {
        let now = files::read(&self.sources())?;
        Ok(self.listed_for().is_file() && files::read(&self.listed_for())? == now)
    }

    /// Fetches the package lists.
    pub(super) fn update(&self) -> Result<()> {
        // By default apt takes a source that cannot be reached for a mere warning.
        let validity = format!("Acquire::Check-Valid-Until={}", !self.of_any_age);
        let arguments = [
            "-q",
            "-o",
            "APT::Update::Error-Mode=any",
            "-o",
            &validity,
            "update",
        ];
        self.run(
            &self.dir,
            "apt-get",
            "fetching the package lists",
            &arguments,
        )?;
        self.check_origin()?;
        files::write(&self.listed_for(), &files::read(&self.sources())?, 0o644)
    }

    /// The key rings of a machine may hold other vendors' keys too: the signed Release files tell whose archive it is.
    fn check_origin(&self) -> Result<()> {
        let lists = self.dir.join("state/lists");
        for entry in fs::read_dir(&lists).map_err(io_error("read", &lists))? {
            let path = entry.map_err(io_error("read", &lists))?.path();
            let is_release = path.to_string_lossy().ends_with("Release");
            if is_release
                && !files::read_to_string(&path)?
                    .lines()
                    .any(|line| line == "Origin: Debian")
            {
                return Err(Error::NotDebian { path });
            }
        }
        Ok(())
    }

    /// Asks one of apt's programs about packages by name.
    pub(super) fn ask(
        &self,
        program: &'static str,
        purpose: &str,
        arguments: &[&str],
        names: &[&str],
    ) -> Result<String> {
        self.run(&self.dir, program, purpose, &with_names(arguments, names)?)
    }

    /// Downloads packages into a folder.
    pub(super) fn download(&self, names: &[&str], into: &Path) -> Result<()> {
        let arguments = with_names(&["-q", "download"], names)?;
        self.run(into, "apt-get", "fetching packages", &arguments)
            .map(drop)
    }

    fn run(
        &self,
        dir: &Path,
        program: &'static str,
        purpose: &str,
        arguments: &[&str],
    ) -> Result<String> {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", self.settings())
            .current_dir(dir)
            .args(arguments);
        files::run(program, "apt", purpose, &mut command)
    }

    fn settings(&self) -> PathBuf {
        self.dir.join("apt.conf")
    }

    fn sources(&self) -> PathBuf {
        self.dir.join("etc/debian.sources")
    }

    /// Holds the sources that the lists were fetched from.
    fn listed_for(&self) -> PathBuf {
        self.dir.join("state/listed-for")
    }
}

fn settings(dir: &Path, host: &str) -> String {
    let dir = dir.display();
    format!(
        r#"Dir::State "{dir}/state";
Dir::State::status "{dir}/state/status";
Dir::Cache "{dir}/cache";
Dir::Etc "{dir}/etc";
Dir::Etc::sourcelist "{dir}/etc/debian.sources";
Dir::Etc::trusted "/etc/apt/trusted.gpg";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
APT::Architecture "{ARCHITECTURE}";
APT::Architectures {{ "{ARCHITECTURE}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
{host}
"#
    )
}

fn host_settings() -> Result<String> {
    let mut command = Command::new("apt-config");
    let dump = files::run(
        "apt-config",
        "apt",
        "reading its settings",
        command.args(["dump", "Acquire"]),
    )?;
    let ours = |line: &&str| HOST_SETTINGS.iter().any(|prefix| line.starts_with(prefix));
    Ok(dump.lines().filter(ours).collect::<Vec<_>>().join("\n"))
}

fn host_sources() -> Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        paths.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    paths.sort();
    for path in paths.iter().filter(|path| path.is_file()) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => found.extend(sources::parse_list(&files::read_to_string(path)?)),
            Some("sources") => found.extend(sources::parse_sources(&files::read_to_string(path)?)),
            _ => {}
        }
    }
    Ok(found)
}

/// Arguments, then `--`, then names that apt cannot take for anything else.
fn with_names<'a>(arguments: &[&'a str], names: &[&'a str]) -> Result<Vec<&'a str>> {
    for name in names {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+-.:~=".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
            return Err(Error::Name {
                name: (*name).to_owned(),
            });
        }
    }
    Ok(arguments
        .iter()
        .chain(&["--"])
        .chain(names)
        .copied()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_options() {
        assert!(with_names(&["download"], &["crun=1.21-1", "libattr1=1:2.5.2-3", "g++"]).is_ok());
        for name in ["-o", "--allow", "", "a b", "a;b"] {
            assert!(
                matches!(with_names(&["download"], &[name]), Err(Error::Name { .. })),
                "{name}"
            );
        }
    }
}
