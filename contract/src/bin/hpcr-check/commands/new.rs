//! `hpcr-check new`: a commented beginning, by persona. The templates are text files, so that they read as what they make.

use clap::{Args, ValueEnum};

use crate::Verdict;
use crate::failure::Failure;
use crate::output::{Output, Readers};

const WORKLOAD: &str = include_str!("../templates/workload.yaml");
const ENV: &str = include_str!("../templates/env.yaml");
const AUDITOR: &str = include_str!("../templates/auditor.yaml");

/// Print a commented template
///
/// Without a persona, a whole contract in the clear. `hpcr-check new | hpcr-check -` tells what is to be filled in.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Who is going to write
    persona: Option<Persona>,
}

/// Who takes part in a contract.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Persona {
    /// Who brings the containers: the workload section
    Workload,
    /// Who runs them: the env section
    Deployer,
    /// Who checks what runs: the public key that the attestation record is sealed to
    Auditor,
}

/// Prints a template.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let template = match arguments.persona {
        Some(Persona::Workload) => WORKLOAD.to_owned(),
        Some(Persona::Deployer) => ENV.to_owned(),
        Some(Persona::Auditor) => AUDITOR.to_owned(),
        None => format!(
            "workload: |\n{}env: |\n{}",
            indented(WORKLOAD),
            indented(ENV)
        ),
    };
    output.write(template.as_bytes(), Readers::Anyone)?;
    Ok(Verdict::Good)
}

/// The text as the content of a literal block.
fn indented(text: &str) -> String {
    let line = |line: &str| {
        if line.is_empty() {
            "\n".to_owned()
        } else {
            format!("  {line}\n")
        }
    };
    text.lines().map(line).collect()
}
