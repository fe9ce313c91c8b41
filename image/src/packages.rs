//! Debian packages of a named suite, fetched by the host's own apt into a private root.
//!
//! The private root has its own lists, cache and (empty) dpkg status, and takes the machine's Debian sources and keys;
//! apt checks the archive's signatures as always. Nothing of the host's packages is read or changed, and no root is
//! needed. What is fetched stays, so that a second build is quick and needs no network.

pub mod sources;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files::{self, io_error};
use crate::{Error, Result};

/// A package file that has been fetched and whose digest is the one of the signed index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// `crun`
    pub name: String,
    /// `1.21-1`, with the epoch if it has one.
    pub version: String,
    /// Lower-case hexadecimal SHA-256 of the `.deb`.
    pub sha256: String,
    /// Where the `.deb` lies.
    pub deb: PathBuf,
}

/// A private apt root of one suite. Only one process uses a cache folder at a time; others wait in [`Self::open`].
#[derive(Debug)]
pub struct PrivateRoot {
    dir: PathBuf,
    unpacked: PathBuf,
    progress: fn(&str),
    _lock: File,
}

const ARCHITECTURE: &str = "amd64";

/// Of the host's apt configuration, only how to reach the network; never what to trust.
const HOST_SETTINGS: [&str; 4] = [
    "Acquire::http::",
    "Acquire::https::",
    "Acquire::Retries ",
    "Acquire::ForceIPv",
];

impl PrivateRoot {
    /// Opens the private root of `suite` below `cache`, making it if it is new: then, and after a change of the
    /// machine's sources, the package lists are fetched.
    pub fn open(cache: &Path, suite: &str) -> Result<Self> {
        Self::open_with_progress(cache, suite, |_| ())
    }

    /// As [`Self::open`], telling what takes time.
    pub fn open_with_progress(cache: &Path, suite: &str, progress: fn(&str)) -> Result<Self> {
        if suite.is_empty()
            || !suite
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        {
            return Err(Error::Name {
                name: suite.to_owned(),
            });
        }
        files::create_dir(cache)?;
        let cache = cache.canonicalize().map_err(io_error("find", cache))?;
        let dir = cache.join(suite);
        for part in [
            "etc",
            "state/lists/partial",
            "cache/archives/partial",
            "debs",
        ] {
            files::create_dir(&dir.join(part))?;
        }
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(io_error("create", &lock_path))?;
        lock.lock().map_err(io_error("lock", &lock_path))?;

        let root = Self {
            unpacked: cache.join("unpacked"),
            dir,
            progress,
            _lock: lock,
        };
        root.configure(suite)?;
        if files::read_to_string(&root.listed_for()).ok()
            != Some(files::read_to_string(&root.sources())?)
        {
            root.refresh()?;
        }
        Ok(root)
    }

    /// Fetches the package lists afresh.
    pub fn refresh(&self) -> Result<()> {
        (self.progress)("fetching the package lists");
        // By default apt takes a source that cannot be reached for a mere warning.
        self.apt(
            "apt-get",
            "fetching the package lists",
            &["-q", "-o", "APT::Update::Error-Mode=any", "update"],
        )?;
        self.check_origin()?;
        files::write(
            &self.listed_for(),
            files::read_to_string(&self.sources())?.as_bytes(),
            0o644,
        )
    }

    /// Fetches the named packages, without what they depend on. A name may carry a version (`crun=1.21-1`).
    pub fn fetch(&self, names: &[&str]) -> Result<Vec<Package>> {
        let attempt = || {
            let wanted = self.candidates(names)?;
            self.download(&wanted)?;
            wanted
                .iter()
                .map(|candidate| self.package(candidate))
                .collect()
        };
        match attempt() {
            // Lists grow stale: a version that they name may have left the archive.
            Err(Error::Program { .. }) => {
                self.refresh()?;
                attempt()
            }
            result => result,
        }
    }

    /// Fetches the named packages and all that they depend on (recommendations left out).
    pub fn closure(&self, names: &[&str]) -> Result<Vec<Package>> {
        let answer = self.apt(
            "apt-get",
            "resolving dependencies",
            &with_names(&["-y", "--print-uris", "install"], names)?,
        )?;
        let all: Vec<String> = answer
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(|line| {
                Candidate::parse(line)
                    .map(|candidate| format!("{}={}", candidate.name, candidate.version))
            })
            .collect::<Result<_>>()?;
        self.fetch(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The direct dependencies of a package, by name: what a package that stands for another one points to.
    pub fn depends(&self, name: &str) -> Result<Vec<String>> {
        let answer = self.apt(
            "apt-cache",
            "reading a package's dependencies",
            &with_names(&["depends"], &[name])?,
        )?;
        Ok(answer
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .map(str::to_owned)
            .collect())
    }

    /// Unpacks a package's files into a folder, over what is there.
    pub fn extract(&self, package: &Package, dir: &Path) -> Result<()> {
        files::create_dir(dir)?;
        let purpose = format!("unpacking {}", package.name);
        files::run(
            "dpkg-deb",
            "dpkg",
            &purpose,
            Command::new("dpkg-deb")
                .arg("-x")
                .arg(&package.deb)
                .arg(dir),
        )
        .map(drop)
    }

    /// The folder of a package's unpacked files, kept in the cache by digest. For reading only.
    pub fn unpacked(&self, package: &Package) -> Result<PathBuf> {
        let dir = self.unpacked.join(&package.sha256);
        if !dir.is_dir() {
            // Under its final name only when complete.
            let partial = self.unpacked.join(format!("{}.partial", package.sha256));
            if partial.exists() {
                fs::remove_dir_all(&partial).map_err(io_error("remove", &partial))?;
            }
            self.extract(package, &partial)?;
            fs::rename(&partial, &dir).map_err(io_error("rename", &dir))?;
        }
        Ok(dir)
    }

    fn sources(&self) -> PathBuf {
        self.dir.join("etc/debian.sources")
    }

    /// Holds the sources that the lists were fetched from.
    fn listed_for(&self) -> PathBuf {
        self.dir.join("state/listed-for")
    }

    fn configure(&self, suite: &str) -> Result<()> {
        let text = sources::rewrite(&host_sources()?, suite).ok_or(Error::NoDebianSources)?;
        files::write(&self.sources(), text.as_bytes(), 0o644)?;
        files::write(&self.dir.join("state/status"), b"", 0o644)?;
        let dump = files::run(
            "apt-config",
            "apt",
            "reading its settings",
            Command::new("apt-config").arg("dump").arg("Acquire"),
        )?;
        let host: Vec<_> = dump
            .lines()
            .filter(|line| HOST_SETTINGS.iter().any(|prefix| line.starts_with(prefix)))
            .collect();
        let dir = self.dir.display();
        let settings = format!(
            "Dir::State \"{dir}/state\";\nDir::State::status \"{dir}/state/status\";\nDir::Cache \"{dir}/cache\";\n\
             Dir::Etc \"{dir}/etc\";\nDir::Etc::sourcelist \"{dir}/etc/debian.sources\";\n\
             Dir::Etc::trusted \"/etc/apt/trusted.gpg\";\nDir::Etc::trustedparts \"/etc/apt/trusted.gpg.d\";\n\
             Dir::Etc::netrc \"/etc/apt/auth.conf\";\nDir::Etc::netrcparts \"/etc/apt/auth.conf.d\";\n\
             APT::Architecture \"{ARCHITECTURE}\";\nAPT::Architectures {{ \"{ARCHITECTURE}\"; }};\n\
             APT::Install-Recommends \"false\";\nAPT::Sandbox::User \"\";\nAcquire::Languages \"none\";\n{}\n",
            host.join("\n")
        );
        // A proxy's address may hold a password.
        files::write(&self.dir.join("apt.conf"), settings.as_bytes(), 0o600)
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

    /// What the index has for these names. (apt names nothing whose file lies in the folder where it runs.)
    fn candidates(&self, names: &[&str]) -> Result<Vec<Candidate>> {
        let answer = self.apt(
            "apt-get",
            "finding packages",
            &with_names(&["--print-uris", "download"], names)?,
        )?;
        let mut candidates: Vec<_> = answer
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(Candidate::parse)
            .collect::<Result<_>>()?;
        candidates.sort();
        candidates.dedup();
        Ok(candidates)
    }

    fn download(&self, wanted: &[Candidate]) -> Result<()> {
        let missing: Vec<_> = wanted
            .iter()
            .filter(|candidate| !self.deb(candidate).is_file())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let bytes: u64 = missing.iter().map(|candidate| candidate.size).sum();
        (self.progress)(&format!(
            "fetching {} packages, {} MB",
            missing.len(),
            bytes.div_ceil(1_000_000)
        ));
        let names: Vec<_> = missing
            .iter()
            .map(|candidate| format!("{}={}", candidate.name, candidate.version))
            .collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        // An interrupted download must not leave half a package under a whole one's name.
        let incoming =
            tempfile::tempdir_in(&self.dir).map_err(io_error("create a folder in", &self.dir))?;
        let arguments = with_names(&["-q", "download"], &names)?;
        self.apt_in(incoming.path(), "apt-get", "fetching packages", &arguments)?;
        for candidate in missing {
            let deb = self.deb(candidate);
            fs::rename(incoming.path().join(&candidate.file), &deb)
                .map_err(io_error("move in", &deb))?;
        }
        Ok(())
    }

    fn deb(&self, candidate: &Candidate) -> PathBuf {
        self.dir.join("debs").join(&candidate.file)
    }

    fn package(&self, candidate: &Candidate) -> Result<Package> {
        let deb = self.deb(candidate);
        let (sha256, _) = files::sha256_of_file(&deb)?;
        if sha256 != candidate.sha256 {
            return Err(Error::PackageDigest {
                path: deb,
                expected: candidate.sha256.clone(),
            });
        }
        Ok(Package {
            name: candidate.name.clone(),
            version: candidate.version.clone(),
            sha256,
            deb,
        })
    }

    fn apt(&self, program: &'static str, purpose: &str, arguments: &[&str]) -> Result<String> {
        self.apt_in(&self.dir, program, purpose, arguments)
    }

    fn apt_in(
        &self,
        dir: &Path,
        program: &'static str,
        purpose: &str,
        arguments: &[&str],
    ) -> Result<String> {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", self.dir.join("apt.conf"))
            .current_dir(dir)
            .args(arguments);
        files::run(program, "apt", purpose, &mut command)
    }
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

fn host_sources() -> Result<Vec<sources::Source>> {
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

/// A package as the index has it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    name: String,
    version: String,
    file: String,
    size: u64,
    /// Empty where apt told another hash: `install` does, `download` gives SHA-256.
    sha256: String,
}

impl Candidate {
    /// Reads a line of `--print-uris`: `'URI' NAME_VERSION_ARCH.deb SIZE HASH:VALUE`, with `%3a` for `:`.
    fn parse(line: &str) -> Result<Self> {
        let parse = || {
            let mut words = line.split_whitespace().skip(1);
            let file = words.next().filter(|file| !file.contains('/'))?;
            let size = words.next()?.parse().ok()?;
            let sha256 = words
                .next()
                .and_then(|hash| hash.strip_prefix("SHA256:"))
                .unwrap_or_default();
            let mut parts = file.strip_suffix(".deb")?.split('_');
            let name = parts.next()?;
            let version = parts.next()?.replace("%3a", ":");
            Some(Self {
                name: name.to_owned(),
                version,
                file: file.to_owned(),
                size,
                sha256: sha256.to_owned(),
            })
        };
        parse().ok_or_else(|| Error::Answer {
            program: "apt-get",
            answer: line.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_of_print_uris_gives_name_version_and_digest() {
        let line = "'http://a.example/pool/main/a/attr/libattr1_2.5.2-3_amd64.deb' libattr1_1%3a2.5.2-3_amd64.deb 22876 SHA256:ab12";
        let candidate = Candidate::parse(line).unwrap();
        assert_eq!(
            (candidate.name.as_str(), candidate.version.as_str()),
            ("libattr1", "1:2.5.2-3")
        );
        assert_eq!((candidate.size, candidate.sha256.as_str()), (22876, "ab12"));
    }

    #[test]
    fn a_file_name_with_a_way_out_is_refused() {
        for line in [
            "'http://a.example/x.deb' ../../x_1_amd64.deb 1 SHA256:ab",
            "'http://a.example/x.deb'",
            "'u' x.rpm 1 SHA256:ab",
        ] {
            assert!(
                matches!(Candidate::parse(line), Err(Error::Answer { .. })),
                "{line}"
            );
        }
    }

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
