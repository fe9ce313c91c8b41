//! What is wrong with a guest before it is started, each thing at its attribute. Values that are not known yet are passed
//! over.

use hpcr_image::deploy::{self, LEAST_MEMORY, SCRATCH_SERIAL};

use super::hardware::{Files, accelerator, refused, text, told};
use crate::diagnostic::Diagnostic;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// The longest path of a socket (unix(7)).
const LONGEST_SOCKET: usize = 107;

/// What is wrong with a configuration, as far as it is known.
pub(super) fn configuration(config: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(Err(error)) = text(config, "name").map(deploy::check_name) {
        found.push(told(&error, Path::of("name")));
    }
    for (name, least, most) in [
        ("memory", LEAST_MEMORY.into(), 16 << 20),
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
    found.extend(forwards(config));
    found.extend(volumes(config));
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

fn forwards(config: &Object) -> Vec<Diagnostic> {
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

fn volumes(config: &Object) -> Vec<Diagnostic> {
    let Some(given) = config.get("volumes").and_then(Value::as_map) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (serial, size) in given {
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
pub(super) fn change(prior: Option<&Object>, planned: &Object) -> Vec<Diagnostic> {
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
