//! `hpcr_guest`: a guest on this host's QEMU, with volumes that survive it.
//!
//! The guest runs in a session of its own and outlives Terraform. What is known of it stands in the state: process,
//! console, control socket. `read` says whether it still runs; a guest that does not is started by the next `apply`.
//! Any change but that of a name or folder starts the same guest again, with its volumes.

use hpcr_image::manifest;

use crate::context::Context;
use crate::diagnostic::{Diagnostic, stops};
use crate::resource::{Change, Failed, Outcome, Resource};
use crate::schema::{Attribute, Form, Nesting, Schema, Use};
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

mod check;
mod hardware;
mod life;

use hardware::{Hardware, flag, text};

/// What `state` says of a guest.
const RUNNING: &str = "running";
const STOPPED: &str = "stopped";

/// Attributes that say how to wait and what to leave behind: a change of them alone starts nothing.
const MANNERS: [&str; 3] = ["delete_data", "timeout", "stop_timeout"];
/// Attributes that name the files: a change of them is another guest.
const IDENTITY: [&str; 2] = ["name", "folder"];
/// What a start decides.
const DECIDED: [&str; 3] = ["pid", "began", "accelerated"];

/// The resource.
pub(crate) struct Guest;

impl Resource for Guest {
    fn name(&self) -> &'static str {
        "hpcr_guest"
    }

    fn schema(&self) -> Schema {
        let forward = vec![
            Attribute::required("host", Kind::Number, "The port on 127.0.0.1 of this host."),
            Attribute::required("guest", Kind::Number, "The port in the guest."),
        ];
        let number = |name, description| Attribute::optional(name, Kind::Number, description);
        Schema {
            description: "A guest on this host's QEMU. It outlives Terraform, and its volumes outlive it.",
            attributes: vec![
                Attribute::required(
                    "name",
                    Kind::Text,
                    "The guest's name: lower-case letters, digits and `-`.",
                ),
                Attribute::required(
                    "folder",
                    Kind::Text,
                    "Where its disks, its console and its control socket lie.",
                ),
                Attribute::required(
                    "image",
                    Kind::Text,
                    "The image's folder, as `hpcr-image build` makes it.",
                ),
                Attribute::required(
                    "seed",
                    Kind::Text,
                    "The seed disk: `path` of an `hpcr_cidata`.",
                ),
                Attribute::optional(
                    "seed_sha256",
                    Kind::Text,
                    "SHA-256 of the seed disk: `sha256` of the `hpcr_cidata`. The guest starts again when it changes.",
                ),
                number("memory", "MiB of memory, 512 at least; 1024 if not given."),
                number("cpus", "Virtual processors; 1 if not given."),
                Attribute::optional(
                    "accelerator",
                    Kind::Text,
                    "kvm or tcg; if not given, kvm where a kernel is seen to boot with it.",
                ),
                Attribute {
                    form: Form::Nested(Nesting::List, forward),
                    ..number("forward", "TCP ports of 127.0.0.1 that lead to the guest.")
                },
                Attribute::optional(
                    "volumes",
                    Kind::map(Kind::Number),
                    "MiB of each data volume, by its key in the contract or its `volumeID`. A disk may grow; the volume on it keeps its size.",
                ),
                number(
                    "scratch",
                    "MiB of the disk for container images; in memory if not given.",
                ),
                Attribute::optional(
                    "delete_data",
                    Kind::Bool,
                    "Whether `destroy` deletes the volumes, too. They are kept if not given.",
                ),
                number(
                    "timeout",
                    "Seconds until every service of the contract must have started; 300 if not given, 0 to wait for nothing.",
                ),
                number(
                    "stop_timeout",
                    "Seconds between power button and plug; 60 if not given.",
                ),
                Attribute::computed(
                    "image_sha256",
                    Kind::Text,
                    "SHA-256 of the image's description; the guest starts again when it changes.",
                ),
                Attribute::computed("state", Kind::Text, "running or stopped."),
                Attribute::computed("pid", Kind::Number, "QEMU's process id."),
                Attribute::computed(
                    "began",
                    Kind::Text,
                    "When that process began: the boot of the host and its clock tick.",
                ),
                Attribute::computed(
                    "accelerated",
                    Kind::Bool,
                    "Whether it runs on the host's own processor.",
                ),
                Attribute::computed(
                    "console",
                    Kind::Text,
                    "The file that the guest's console goes to.",
                ),
                Attribute::computed("control", Kind::Text, "QEMU's control socket."),
                Attribute::computed("id", Kind::Text, "The guest's name."),
            ],
        }
    }

    fn check(&self, config: &Object, _: &Context) -> Vec<Diagnostic> {
        check::configuration(config)
    }

    fn plan(&self, change: &Change<'_>) -> Result<Outcome, Failed> {
        let mut state = change.planned.clone();
        let found = check::change(change.prior, &state);
        if stops(&found) {
            return Err(found);
        }
        state.insert("image_sha256".into(), image_digest(&state));
        let restarts = change.prior.is_none_or(|prior| {
            is_off(prior)
                || self
                    .inputs()
                    .any(|name| prior.get(&name) != state.get(&name))
        });
        if restarts {
            for name in DECIDED {
                state.insert(name.into(), Value::unknown());
            }
            state.insert("state".into(), Value::text(RUNNING));
            for (name, path) in hardware::paths(&state) {
                state.insert(name.into(), path);
            }
        }
        let other = change.prior.map_or(Vec::new(), |prior| {
            let differs = |name: &&str| prior.get(*name) != state.get(*name);
            IDENTITY.into_iter().filter(differs).map(Path::of).collect()
        });
        Ok(Outcome {
            state,
            replace: other,
            warnings: found,
            ..Outcome::default()
        })
    }

    fn apply(&self, change: &Change<'_>) -> Result<Outcome, Failed> {
        let mut state = change.planned.clone();
        let restarts = state.values().any(Value::has_unknown);
        if restarts {
            if let Some(prior) = change.prior {
                life::stop(prior)?;
            }
            // What was planned stands: an image that was changed since starts by the next plan.
            if state["image_sha256"].has_unknown() {
                state.insert("image_sha256".into(), image_digest(&state));
            }
            let hardware = Hardware::of(&self.schema().meant(state.clone()))?;
            hardware.make_disks()?;
            state.extend(life::start(&hardware, &change.context.interrupted)?);
        }
        Ok(Outcome {
            state: self.schema().complete(state),
            ..Outcome::default()
        })
    }

    fn read(&self, mut state: Object) -> Result<Option<Object>, Failed> {
        let is_running = life::process(&state).is_some_and(|process| process.is_running());
        let said = if is_running { RUNNING } else { STOPPED };
        state.insert("state".into(), Value::text(said));
        Ok(Some(state))
    }

    fn delete(&self, state: &Object) -> Vec<Diagnostic> {
        if let Err(failed) = life::stop(state) {
            return failed;
        }
        let delete_data = flag(state, "delete_data").unwrap_or(false);
        hardware::remove(state, delete_data)
    }

    /// A guest is known by what its start has put into the state, and no other process is ever signalled.
    fn import(&self, _: &str) -> Result<Object, Failed> {
        let detail = "A guest that runs without its state is not taken over, since nothing proves which process it is. Switch it off by its \
                      control socket (`system_powerdown` to NAME.qmp in its folder) and apply: the same `name` and `folder` find its volumes with their data.";
        let summary = "hpcr_guest cannot be imported";
        Err(vec![Diagnostic::error(Path::default(), summary, detail)])
    }
}

impl Guest {
    /// What a guest is started with.
    fn inputs(&self) -> impl Iterator<Item = String> {
        let attributes = self.schema().attributes.into_iter();
        let names = attributes
            .filter(|one| one.use_ != Use::Computed || one.name == "image_sha256")
            .map(|one| one.name);
        names.filter(|name| !MANNERS.contains(&name.as_str()))
    }
}

fn is_off(state: &Object) -> bool {
    text(state, "state") != Some(RUNNING)
}

/// The digest of the image's description, which holds those of its parts; unknown where it is made by the same `apply`.
fn image_digest(state: &Object) -> Value {
    let description =
        text(state, "image").map(|image| std::path::Path::new(image).join(manifest::FILE));
    description
        .and_then(|path| std::fs::read(path).ok())
        .map_or_else(Value::unknown, |bytes| {
            Value::text(manifest::Part::of(&bytes).sha256)
        })
}

#[cfg(test)]
mod tests;
