//! A folder with a configuration, and Terraform at work in it: nothing of the user's settings, nothing from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The provider under test.
pub(crate) const PROVIDER: &str = env!("CARGO_BIN_EXE_terraform-provider-hpcr");

/// What every configuration begins with.
const HEAD: &str = r#"terraform {
  required_providers {
    hpcr = {
      source = "local/hpcr/hpcr"
    }
  }
}
"#;

/// A working folder.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A folder with the provider as a development override; none where there is no Terraform.
    pub(crate) fn new() -> Option<Self> {
        let bin = Path::new(PROVIDER).parent().unwrap();
        let rc = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"local/hpcr/hpcr\" = \"{}\"\n  }}\n}}\n",
            bin.display()
        );
        Self::with(&rc)
    }

    /// A folder with these settings of Terraform.
    pub(crate) fn with(rc: &str) -> Option<Self> {
        if Command::new("terraform").arg("version").output().is_err() {
            eprintln!("skipped: there is no terraform here");
            return None;
        }
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        desk.write("terraform.rc", rc);
        Some(desk)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, body: &str) {
        self.write("main.tf", format!("{HEAD}{body}"));
    }

    /// A folder that a guest could run, with a volume called `data` at /data.
    pub(crate) fn app(&self) {
        self.app_with("    volumes:\n      - /data:/data\n");
    }

    /// A folder that a guest could run without a volume.
    pub(crate) fn stateless_app(&self) {
        self.app_with("");
    }

    fn app_with(&self, more: &str) {
        let image = format!("registry.example/shop/web@sha256:{}", "0".repeat(64));
        let text = format!("services:\n  web:\n    image: {image}\n{more}");
        self.write("app/docker-compose.yaml", text);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.path("terraform.rc"))
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env_remove("HPCR_CERT")
            .env_remove("TF_LOG");
        command
    }

    /// Runs Terraform and waits.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs Terraform with a variable in its environment.
    pub(crate) fn run_with(&self, (name, value): (&str, &str), arguments: &[&str]) -> Output {
        self.command(arguments).env(name, value).output().unwrap()
    }

    /// Starts Terraform.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).spawn().unwrap()
    }

    /// Runs Terraform, which has to do it.
    pub(crate) fn does(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
        out
    }

    /// Applies the configuration.
    pub(crate) fn apply(&self) -> String {
        self.does(&["apply", "-auto-approve", "-no-color"])
    }

    /// Whether a plan would change something.
    pub(crate) fn would_change(&self) -> bool {
        let output = self.run(&["plan", "-detailed-exitcode", "-no-color"]);
        match output.status.code() {
            Some(0) => false,
            Some(2) => true,
            _ => panic!("{}\n{}", text(&output.stdout), text(&output.stderr)),
        }
    }

    /// The value of an output.
    pub(crate) fn output(&self, name: &str) -> Value {
        serde_json::from_str(&self.does(&["output", "-json", name])).unwrap()
    }

    /// The state file.
    pub(crate) fn state(&self) -> String {
        fs::read_to_string(self.path("terraform.tfstate")).unwrap()
    }

    /// Everything that `validate` says.
    pub(crate) fn validate(&self) -> Vec<Told> {
        let output = self.run(&["validate", "-json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = told["diagnostics"].as_array().unwrap();
        told.iter().map(Told::new).collect()
    }

    /// Everything that `plan` says.
    pub(crate) fn plan(&self) -> Vec<Told> {
        let output = self.run(&["plan", "-json"]);
        let lines = text(&output.stdout);
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let told = lines.filter_map(|line| line.get("diagnostic").map(Told::new));
        told.collect()
    }

    /// The number of the first line of the configuration that holds a text.
    pub(crate) fn line(&self, holds: &str) -> u64 {
        let text = fs::read_to_string(self.path("main.tf")).unwrap();
        let index = text.lines().position(|line| line.contains(holds));
        u64::try_from(index.unwrap() + 1).unwrap()
    }
}

/// One diagnostic.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) is_error: bool,
    pub(crate) summary: String,
    pub(crate) detail: String,
    pub(crate) line: Option<u64>,
}

impl Told {
    fn new(told: &Value) -> Self {
        let text = |name| told[name].as_str().unwrap_or_default().to_owned();
        Self {
            is_error: told["severity"] == "error",
            summary: text("summary"),
            detail: text("detail"),
            line: told["range"]["start"]["line"].as_u64(),
        }
    }

    /// All of its words in one line.
    pub(crate) fn words(&self) -> String {
        format!("{} {}", self.summary, self.detail).replace('\n', " ")
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
