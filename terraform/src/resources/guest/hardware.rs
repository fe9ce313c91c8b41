//! What a guest consists of: attributes become a machine and files, and files go when the guest does.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use hpcr_image::deploy::{self, SCRATCH_SERIAL};
use hpcr_image::qemu::{Accelerator, Console, Disk, Forward, Machine, Network};
use sha2::{Digest as _, Sha256};

use crate::diagnostic::{Diagnostic, sentence};
use crate::resource::Failed;
use crate::value::path::Path;
use crate::value::{Object, Value};

const MIB: u64 = 1 << 20;
/// Below this the guest itself stops, for want of room to unpack images.
const LEAST_MEMORY: i64 = 512;
const MEMORY: u32 = 1024;
const TIMEOUT: u64 = 300;
const STOP_TIMEOUT: u64 = 60;
/// The longest path of a socket (unix(7)).
const LONGEST_SOCKET: usize = 107;

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

fn refused(path: Path, summary: &str, detail: impl Into<String>) -> Diagnostic {
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

/// What is wrong with a configuration, as far as it is known.
pub(super) fn check(config: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(Err(error)) = text(config, "name").map(deploy::check_name) {
        found.push(told(&error, Path::of("name")));
    }
    for (name, least, most) in [
        ("memory", LEAST_MEMORY, 16 << 20),
        ("cpus", 1, 255),
        ("scratch", 1, 16 << 20),
        ("timeout", 0, 86_400),
        ("stop_timeout", 0, 86_400),
    ] {
        let given = config
            .get(name)
            .filter(|given| !given.is_null() && !given.has_unknown());
        if given.is_some_and(|given| given.as_whole().is_none_or(|n| n < least || n > most)) {
            let detail = format!("Give a whole number from {least} to {most}.");
            found.push(refused(Path::of(name), "This number cannot be", detail));
        }
    }
    if text(config, "accelerator").is_some_and(|given| accelerator(given).is_none()) {
        let detail = "Write kvm or tcg, or leave it out to have it found out.";
        found.push(refused(
            Path::of("accelerator"),
            "There is no such accelerator",
            detail,
        ));
    }
    found.extend(check_forwards(config));
    found.extend(check_volumes(config));
    if let Some(files) = Files::of(config) {
        let length = files.control().as_os_str().len();
        if length > LONGEST_SOCKET {
            let detail = format!(
                "QEMU's control socket would have a path of {length} bytes, and a system takes {LONGEST_SOCKET}. Choose a folder with a shorter path."
            );
            found.push(refused(
                Path::of("folder"),
                "The folder lies too deep",
                detail,
            ));
        }
    }
    found
}

fn check_forwards(config: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut taken = Vec::new();
    let forwards = config
        .get("forward")
        .and_then(Value::as_list)
        .unwrap_or_default();
    for (index, forward) in forwards.iter().enumerate() {
        for end in ["host", "guest"] {
            let path = Path::of("forward").index(index).attribute(end);
            let Some(port) = forward.as_map().and_then(|forward| forward.get(end)) else {
                continue;
            };
            if port.has_unknown() {
                continue;
            }
            if port
                .as_whole()
                .is_none_or(|port| !(1..=65_535).contains(&port))
            {
                found.push(refused(
                    path,
                    "This is no port",
                    "Give a number from 1 to 65535.",
                ));
            } else if end == "host" && taken.contains(&port) {
                found.push(refused(
                    path,
                    "Two ports of the guest cannot share one of the host",
                    "Give each its own.",
                ));
            } else if end == "host" {
                taken.push(port);
            }
        }
    }
    found
}

fn check_volumes(config: &Object) -> Vec<Diagnostic> {
    let Some(volumes) = config.get("volumes").and_then(Value::as_map) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (serial, size) in volumes {
        let path = Path::of("volumes").key(serial);
        if let Err(error) =
            deploy::check_serials([serial.as_str(), SCRATCH_SERIAL].into_iter().rev())
        {
            found.push(told(&error, path.clone()));
        }
        // A volume has 100 MiB of its own beside the data.
        if !size.has_unknown()
            && size
                .as_whole()
                .is_none_or(|size| !(128..=64 << 20).contains(&size))
        {
            let detail = "Give a whole number of MiB, 128 at least.";
            found.push(refused(path, "This is no size of a volume", detail));
        }
    }
    found
}

/// What a change would break.
pub(super) fn check_change(prior: Option<&Object>, planned: &Object) -> Vec<Diagnostic> {
    let sizes = |state: &Object| {
        state
            .get("volumes")
            .and_then(Value::as_map)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (prior.map(sizes).unwrap_or_default(), sizes(planned));
    let mut found = Vec::new();
    for (serial, size) in &before {
        let path = Path::of("volumes").key(serial);
        match (size.as_whole(), after.get(serial).map(Value::as_whole)) {
            (Some(before), Some(Some(after))) if after < before => {
                let detail = format!(
                    "It has {before} MiB, and its end may hold data. Make a new volume, and move the data."
                );
                found.push(refused(path, "A volume cannot shrink", detail));
            }
            (_, None) if !planned.get("volumes").is_some_and(Value::has_unknown) => {
                let detail = "The guest runs without it; the disk stays in the folder.";
                found.push(Diagnostic::warning(path, "A volume is left behind", detail));
            }
            _ => {}
        }
    }
    found
}

fn accelerator(name: &str) -> Option<Accelerator> {
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
    if expected.is_some_and(|expected| hex::encode(Sha256::digest(&bytes)) != expected) {
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
