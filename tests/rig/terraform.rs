//! The real Terraform with this project's provider, on a copy of one of this project's examples or on a text.
//!
//! A development override names the provider, so nothing is downloaded; what Terraform itself would ask of the network is
//! switched off. Values of variables lie in a file that only this user reads.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{Error, Result, command, place};

const TERRAFORM: &str = "terraform";
const PROVIDER: &str = "terraform-provider-hpcr";
/// The arguments of a run that plans and applies.
pub const APPLY: [&str; 3] = ["apply", "-auto-approve", "-input=false"];
/// What examples call the provider.
const SOURCE: &str = "local/hpcr/hpcr";
/// Exit codes of `plan -detailed-exitcode`.
const NOTHING_TO_DO: i32 = 0;
const CHANGES: i32 = 2;

/// Whether there is a Terraform on this machine; says so where there is none.
pub fn is_here() -> bool {
    let answer = Command::new(TERRAFORM).arg("version").output();
    if answer.is_err() {
        eprintln!("skipped: no terraform on this machine");
    }
    answer.is_ok()
}

/// A configuration and its state.
#[derive(Debug)]
pub struct Project {
    /// Where it lies.
    pub folder: PathBuf,
    settings: PathBuf,
}

impl Project {
    /// A copy of the example `name`, with all that examples share, below a new folder in `parent`.
    ///
    /// # Errors
    /// Where the provider was not built, or a file cannot be copied.
    pub fn of_example(parent: &Path, name: &str) -> Result<Self> {
        let root = parent.join(format!("terraform-{name}"));
        for part in ["examples", "modules"] {
            copy(&sources().join(part), &root.join(part))?;
        }
        let project = Self {
            folder: root.join("examples").join(name),
            settings: settings(&root)?,
        };
        // Modules are found once; providers need nothing with an override.
        project.run(&["get"])?;
        Ok(project)
    }

    /// A configuration of its own in an empty folder: these blocks, and where the provider comes from.
    ///
    /// # Errors
    /// Where the provider was not built, or a file cannot be written.
    pub fn of_text(folder: &Path, blocks: &str) -> Result<Self> {
        let provider = format!(
            "terraform {{\n  required_providers {{\n    hpcr = {{ source = \"{SOURCE}\" }}\n  }}\n}}\n"
        );
        write(&folder.join("main.tf"), (provider + blocks).as_bytes())?;
        Ok(Self {
            folder: folder.to_owned(),
            settings: settings(folder)?,
        })
    }

    /// Gives every variable of the configuration that is named here its value.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn set(&self, variables: &Value) -> Result<()> {
        let text = variables.to_string();
        write(&self.folder.join("terraform.tfvars.json"), text.as_bytes())
    }

    /// `terraform validate`.
    ///
    /// # Errors
    /// With Terraform's words.
    pub fn validate(&self) -> Result<()> {
        self.run(&["validate"]).map(drop)
    }

    /// `terraform apply`.
    ///
    /// # Errors
    /// With Terraform's words.
    pub fn apply(&self) -> Result<()> {
        self.run(&APPLY).map(drop)
    }

    /// `terraform destroy`.
    ///
    /// # Errors
    /// With Terraform's words.
    pub fn destroy(&self) -> Result<()> {
        self.run(&["destroy", "-auto-approve", "-input=false"])
            .map(drop)
    }

    /// Whether a plan would change nothing.
    ///
    /// # Errors
    /// With Terraform's words, where there is no plan.
    pub fn is_settled(&self) -> Result<bool> {
        let output = self.call(&["plan", "-detailed-exitcode", "-input=false", "-lock=false"])?;
        match output.status.code() {
            Some(NOTHING_TO_DO) => Ok(true),
            Some(CHANGES) => Ok(false),
            _ => Err(failed(&output)),
        }
    }

    /// An output, sensitive or not.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn output(&self, name: &str) -> Result<Value> {
        let text = self.run(&["output", "-json", name])?;
        serde_json::from_str(&text)
            .map_err(|error| Error::Broken(format!("the output {name} is no JSON: {error}")))
    }

    /// The text of the state.
    ///
    /// # Errors
    /// Where there is none.
    pub fn state(&self) -> Result<String> {
        let path = self.folder.join("terraform.tfstate");
        fs::read_to_string(&path).map_err(Error::io(format!("reading {}", path.display())))
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.call(arguments)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(failed(&output))
    }

    /// Terraform with these arguments, yet to be started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TERRAFORM);
        command
            .arg(format!("-chdir={}", self.folder.display()))
            .args(arguments)
            .args((arguments[0] != "output").then_some("-no-color"))
            .env("TF_CLI_CONFIG_FILE", &self.settings)
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .stdin(Stdio::null());
        command
    }

    fn call(&self, arguments: &[&str]) -> Result<Output> {
        self.command(arguments)
            .output()
            .map_err(|source| Error::Start {
                program: TERRAFORM.into(),
                source,
            })
    }
}

/// Terraform's own settings, in a folder: where the provider lies that was built here.
fn settings(folder: &Path) -> Result<PathBuf> {
    let provider = place::program(PROVIDER);
    if !provider.is_file() {
        return Err(Error::Broken(format!(
            "{}: no provider; `make build` builds it",
            provider.display()
        )));
    }
    let programs = provider.parent().unwrap_or(Path::new("."));
    let text = format!(
        "provider_installation {{\n  dev_overrides {{ \"{SOURCE}\" = {} }}\n  direct {{}}\n}}\n",
        json!(programs)
    );
    let settings = folder.join("terraform.rc");
    write(&settings, text.as_bytes())?;
    Ok(settings)
}

fn failed(output: &Output) -> Error {
    Error::Failed {
        program: TERRAFORM.into(),
        status: output.status.to_string(),
        output: command::last_words(output),
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform")
}

/// Copies a folder with all that is in it, where there is one.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    command::run(Command::new("mkdir").arg("-p").arg(to), b"")?;
    command::run(
        Command::new("cp").arg("-r").arg(from.join(".")).arg(to),
        b"",
    )
    .map(drop)
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let write = || {
        let mut options = fs::OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        options.open(path)?.write_all(content)
    };
    write().map_err(Error::io(format!("writing {}", path.display())))
}
