//! What a guest consists of: attributes become a machine and files, and files go when the guest does.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use hpcr_image::deploy::SCRATCH_SERIAL;
use hpcr_image::qemu::{Accelerator, Console, Disk, Forward, Machine, Network};

use crate::diagnostic::{Diagnostic, sentence};
use crate::resource::Failed;
use crate::resources::cidata::digest;
use crate::value::path::Path;
use crate::value::{Object, Value};

const MIB: u64 = 1 << 20;
const MEMORY: u32 = 1024;
const TIMEOUT: u64 = 300;
const STOP_TIMEOUT: u64 = 60;

/// A guest that is about to be started.
pub(super) struct Hardware {
    pub(super) machine: Machine,
    pub(super) accelerator: Option<Accelerator>,
    pub(super) files: Files,
    /// How long its services may take to start; none to wait for nothing.
    pub(super) patience: Option<Duration>,
    pub(super) stop: Duration,
    /// Disks with their bytes.
    disks: Vec<(PathBuf, u64, Path)>,
}

/// The files of a guest.
pub(super) struct Files {
    folder: PathBuf,
    name: String,
}

impl Files {
    pub(super) fn of(state: &Object) -> Option<Self> {
        Some(Self {
            folder: text(state, "folder")?.into(),
            name: text(state, "name")?.to_owned(),
        })
    }

    pub(super) fn console(&self) -> PathBuf {
        self.file(".console")
    }

    pub(super) fn control(&self) -> PathBuf {
        self.file(".qmp")
    }

    pub(super) fn pid(&self) -> PathBuf {
        self.file(".pid")
    }

    fn disk(&self, serial: &str) -> PathBuf {
        self.file(&format!("-{serial}.img"))
    }

    fn file(&self, end: &str) -> PathBuf {
        self.folder.join(format!("{}{end}", self.name))
    }
}

pub(super) fn text<'o>(object: &'o Object, name: &str) -> Option<&'o str> {
    object.get(name)?.as_text()
}

pub(super) fn number(object: &Object, name: &str) -> Option<i64> {
    object.get(name)?.as_whole()
}

pub(super) fn flag(object: &Object, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(value) => Some(*value),
        _ => None,
    }
}

/// How long the guest has between power button and plug.
pub(super) fn stop_timeout(state: &Object) -> Duration {
    let seconds = number(state, "stop_timeout").and_then(|seconds| u64::try_from(seconds).ok());
    Duration::from_secs(seconds.unwrap_or(STOP_TIMEOUT))
}

/// The files that the state names, as far as their folder is known.
pub(super) fn paths(state: &Object) -> Vec<(&'static str, Value)> {
    let path = |path: PathBuf| Value::text(path.display().to_string());
    Files::of(state).map_or_else(Vec::new, |files| {
        vec![
            ("console", path(files.console())),
            ("control", path(files.control())),
            ("id", Value::text(files.name)),
        ]
    })
}

pub(super) fn refused(path: Path, summary: &str, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error(path, summary, detail)
}

/// An error of the image's library at an attribute.
pub(super) fn told(error: &hpcr_image::Error, path: Path) -> Diagnostic {
    if let hpcr_image::Error::Deployment { cause, remedy, .. } = error {
        return refused(path, &sentence(cause), sentence(remedy));
    }
    let text = error.to_string();
    let (cause, remedy) = text
        .split_once("; ")
        .unwrap_or((&text, "look at the cause, and apply again"));
    refused(path, &sentence(cause), sentence(remedy))
}

pub(super) fn accelerator(name: &str) -> Option<Accelerator> {
    match name {
        "kvm" => Some(Accelerator::Kvm),
        // What old versions of QEMU get wrong is hidden; nothing in the guest misses it.
        "tcg" => Some(Accelerator::Tcg { broken_cx16: true }),
        _ => None,
    }
}

impl Hardware {
    /// The guest of a state, every value of which is known.
    pub(super) fn of(state: &Object) -> Result<Self, Failed> {
        let one = |diagnostic| vec![diagnostic];
        let files = Files::of(state).ok_or_else(Vec::new)?;
        let image = FilePath::new(text(state, "image").unwrap_or_default());
        let mut machine =
            Machine::of_image(image).map_err(|error| one(told(&error, Path::of("image"))))?;
        let seed = PathBuf::from(text(state, "seed").unwrap_or_default());
        check_seed(&seed, text(state, "seed_sha256")).map_err(one)?;

        machine.memory = whole(state, "memory").unwrap_or(MEMORY);
        machine.cpus = whole(state, "cpus").unwrap_or(1);
        machine.seed = Some(seed);
        machine.network = Network::User(forwards(state));
        machine.console = Console::File(files.console());
        machine.qmp = Some(files.control());
        let mut disks = Vec::new();
        let volumes = state
            .get("volumes")
            .and_then(Value::as_map)
            .into_iter()
            .flatten();
        let volumes =
            volumes.map(|(serial, size)| (serial.as_str(), size, Path::of("volumes").key(serial)));
        let scratch = state.get("scratch").filter(|size| !size.is_null());
        let scratch = scratch.map(|size| (SCRATCH_SERIAL, size, Path::of("scratch")));
        for (serial, size, place) in volumes.chain(scratch) {
            let size = size.as_whole().and_then(|size| u64::try_from(size).ok());
            let path = files.disk(serial);
            machine.disks.push(Disk::new(&path, serial));
            disks.push((path, size.unwrap_or_default() * MIB, place));
        }
        let seconds = number(state, "timeout").and_then(|seconds| u64::try_from(seconds).ok());
        let seconds = seconds.unwrap_or(TIMEOUT);
        Ok(Self {
            machine,
            accelerator: text(state, "accelerator").and_then(accelerator),
            files,
            patience: (seconds > 0).then(|| Duration::from_secs(seconds)),
            stop: stop_timeout(state),
            disks,
        })
    }

    /// Makes the folder and the disks that are not there yet; those that are there are grown at most.
    pub(super) fn make_disks(&self) -> Result<(), Failed> {
        let failed = |path: &FilePath, place: &Path, error: io::Error| {
            let detail = format!(
                "{}: {error}. Check the folder, and the room that is left.",
                path.display()
            );
            vec![refused(
                place.clone(),
                "A disk of the guest cannot be made",
                detail,
            )]
        };
        fs::create_dir_all(&self.files.folder)
            .map_err(|error| failed(&self.files.folder, &Path::of("folder"), error))?;
        for (path, size, place) in &self.disks {
            make_disk(path, *size).map_err(|error| failed(path, place, error))?;
        }
        Ok(())
    }
}

/// A sparse file of at least this size; one that is there keeps its bytes.
fn make_disk(path: &FilePath, size: u64) -> io::Result<()> {
    let mut options = File::options();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.len() < size {
        file.set_len(size)?;
    }
    Ok(())
}

fn whole(state: &Object, name: &str) -> Option<u32> {
    number(state, name).and_then(|number| u32::try_from(number).ok())
}

fn forwards(state: &Object) -> Vec<Forward> {
    let forwards = state
        .get("forward")
        .and_then(Value::as_list)
        .unwrap_or_default();
    let port =
        |forward: &Object, end| number(forward, end).and_then(|port| u16::try_from(port).ok());
    let forward = |forward: &Object| {
        Some(Forward {
            host: port(forward, "host")?,
            guest: port(forward, "guest")?,
        })
    };
    forwards
        .iter()
        .filter_map(|one| forward(one.as_map()?))
        .collect()
}

/// The seed is the one that was planned with.
fn check_seed(seed: &FilePath, expected: Option<&str>) -> Result<(), Diagnostic> {
    let mut bytes = Vec::new();
    let read = File::open(seed).and_then(|file| file.take(64 * MIB).read_to_end(&mut bytes));
    if let Err(error) = read {
        let detail = format!(
            "{}: {error}. Name the `path` of an `hpcr_cidata`.",
            seed.display()
        );
        return Err(refused(
            Path::of("seed"),
            "The seed disk cannot be read",
            detail,
        ));
    }
    if expected.is_some_and(|expected| digest(&bytes) != expected) {
        let detail = "The file holds another seed disk than `seed_sha256` says. Apply again, so that both are of one `hpcr_cidata`.";
        return Err(refused(
            Path::of("seed_sha256"),
            "The seed disk is another one",
            detail,
        ));
    }
    Ok(())
}

/// Removes what a guest leaves: its volumes only where that is asked for.
pub(super) fn remove(state: &Object, with_data: bool) -> Vec<Diagnostic> {
    let Some(files) = Files::of(state) else {
        return Vec::new();
    };
    let mut doomed = vec![
        files.console(),
        files.control(),
        files.pid(),
        files.disk(SCRATCH_SERIAL),
    ];
    if with_data {
        let volumes = state
            .get("volumes")
            .and_then(Value::as_map)
            .into_iter()
            .flatten();
        doomed.extend(volumes.map(|(serial, _)| files.disk(serial)));
    }
    let mut found = Vec::new();
    for path in doomed {
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != ErrorKind::NotFound
        {
            let detail = format!("{}: {error}. Remove it by hand.", path.display());
            found.push(Diagnostic::warning(
                Path::of("folder"),
                "A file of the guest stays behind",
                detail,
            ));
        }
    }
    // Where volumes or other guests are left, the folder stays.
    let _ = fs::remove_dir(&files.folder);
    found
}
