//! Debian packages of a named suite, fetched by the host's own apt into a private root.
//!
//! The private root has its own lists, cache and (empty) dpkg status, and takes the machine's Debian sources and keys;
//! apt checks the archive's signatures as always. Nothing of the host's packages is read or changed, and no root is
//! needed. What is fetched stays, so that a second build is quick and needs no network.

mod apt;
mod candidate;
pub mod sources;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use self::apt::Apt;
use self::candidate::Candidate;
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
    apt: Apt,
    debs: PathBuf,
    unpacked: PathBuf,
    progress: fn(&str),
    _lock: File,
}

impl PrivateRoot {
    /// Opens the private root of `suite` below `cache`, making it if it is new: then, and after a change of the
    /// machine's sources, the package lists are fetched.
    pub fn open(cache: &Path, suite: &str) -> Result<Self> {
        Self::open_with_progress(cache, suite, |_| ())
    }

    /// As [`Self::open`], telling what takes time.
    pub fn open_with_progress(cache: &Path, suite: &str, progress: fn(&str)) -> Result<Self> {
        Self::open_root(cache, suite, progress, false)
    }

    /// As [`Self::open`], for what is read and never run: lists that their archive says are out of date will do, as on a
    /// mirror that stands still.
    pub fn open_of_any_age(cache: &Path, suite: &str) -> Result<Self> {
        Self::open_root(cache, suite, |_| (), true)
    }

    fn open_root(cache: &Path, suite: &str, progress: fn(&str), of_any_age: bool) -> Result<Self> {
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
        let debs = dir.join("debs");
        files::create_dir(&debs)?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(io_error("create", &lock_path))?;
        lock.lock().map_err(io_error("lock", &lock_path))?;

        let apt = Apt::configure(&dir, suite, of_any_age)?;
        let root = Self {
            apt,
            debs,
            unpacked: cache.join("unpacked"),
            progress,
            _lock: lock,
        };
        if !root.apt.has_lists()? {
            root.refresh()?;
        }
        Ok(root)
    }

    /// Fetches the package lists afresh.
    pub fn refresh(&self) -> Result<()> {
        (self.progress)("fetching the package lists");
        self.apt.update()
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
        let arguments = ["-y", "--print-uris", "install"];
        let answer = self
            .apt
            .ask("apt-get", "resolving dependencies", &arguments, names)?;
        let all: Vec<_> = Candidate::parse_all(&answer)?
            .iter()
            .map(Candidate::pinned)
            .collect();
        self.fetch(&all.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The direct dependencies of a package, by name: what a package that stands for another one points to.
    pub fn depends(&self, name: &str) -> Result<Vec<String>> {
        let answer = self.apt.ask(
            "apt-cache",
            "reading a package's dependencies",
            &["depends"],
            &[name],
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

    /// What the index has for these names.
    fn candidates(&self, names: &[&str]) -> Result<Vec<Candidate>> {
        let answer = self.apt.ask(
            "apt-get",
            "finding packages",
            &["--print-uris", "download"],
            names,
        )?;
        let mut candidates = Candidate::parse_all(&answer)?;
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
        let megabytes = missing
            .iter()
            .map(|candidate| candidate.size)
            .sum::<u64>()
            .div_ceil(1_000_000);
        (self.progress)(&format!(
            "fetching {} packages, {megabytes} MB",
            missing.len()
        ));
        let names: Vec<_> = missing.iter().map(|candidate| candidate.pinned()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        // An interrupted download must not leave half a package under a whole one's name.
        let incoming =
            tempfile::tempdir_in(&self.debs).map_err(io_error("create a folder in", &self.debs))?;
        self.apt.download(&names, incoming.path())?;
        for candidate in missing {
            let deb = self.deb(candidate);
            fs::rename(incoming.path().join(&candidate.file), &deb)
                .map_err(io_error("move in", &deb))?;
        }
        Ok(())
    }

    fn deb(&self, candidate: &Candidate) -> PathBuf {
        self.debs.join(&candidate.file)
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
}
