#![allow(clippy::unwrap_used)]

use super::*;
use crate::secret::{ExposeSecret as _, SecretString};
use crate::workload::interpolation::Variables;
use proptest::prelude::*;

mod fields;
mod files;
mod order;
mod refused;
mod sources;

const IMAGE: &str = "registry.example:5000/web@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn variables() -> Variables {
    [
        ("HOST", "registry.example:5000"),
        ("SECRET", "hunter2"),
        ("PORT", "8080"),
        ("EMPTY", ""),
    ]
    .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
    .into()
}

/// A workload section with this under `play`.
fn play(text: &str) -> Result<Workload, Vec<Finding>> {
    let (workload, findings) = all_of(text);
    workload.ok_or_else(|| findings.into_iter().filter(Finding::stops).collect())
}

fn all_of(text: &str) -> Outcome {
    let section = format!("play:\n{text}");
    let section = match Document::parse(&section, "workload", PODS_FAILED) {
        Ok(section) => section,
        Err(finding) => return (None, vec![finding]),
    };
    let given = Given {
        variables: &variables(),
        is_open: false,
        volumes: &["/mnt/data".to_owned()],
        signed: &["registry.example/signed".to_owned()],
    };
    read(&section, &Unpacked::default(), &given)
}

/// Some YAML as an item of a list under `play.resources`, three columns further in.
fn item(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("   {line}\n")).collect();
    lines.concat().replacen("   ", " - ", 1)
}

/// A Pod called `app` with these lines in its spec, which name the image `IMAGE`.
fn pod(lines: &str) -> String {
    let lines: Vec<_> = lines.lines().map(|line| format!("  {line}\n")).collect();
    format!("kind: Pod\napiVersion: v1\nmetadata: {{name: app, labels: {{tier: front}}, annotations: {{note: hi}}}}\nspec:\n{}", lines.concat())
        .replace("IMAGE", IMAGE)
}

/// The containers of that Pod.
fn spec(lines: &str) -> Result<Vec<Service>, Vec<Finding>> {
    play(&format!(" resources:\n{}", item(&pod(lines)))).map(|workload| workload.services)
}

/// The one container of that Pod, with these lines of its own.
fn container(lines: &str) -> Result<Service, Vec<Finding>> {
    let lines: Vec<_> = lines.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!(
        "containers:\n- name: web\n  image: IMAGE\n{}",
        lines.concat()
    );
    spec(&text).map(|mut services| services.remove(0))
}

fn environment(service: &Service) -> Vec<(&str, &str)> {
    service
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_pod_makes_it_panic(
        lines in proptest::collection::vec(
            "( {0,6}(- )?(name|image|containers|volumes|env|valueFrom|configMap|hostPath|emptyDir|ports|resources|securityContext|readinessProbe|exec)?:? ?[-a-z0-9:/.$\\{\\}\\[\\]\"']{0,12})",
            0..12,
        ),
    ) {
        let _ = spec(&lines.join("\n"));
    }
}
