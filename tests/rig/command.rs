//! Running the command lines that users of contracts run. Secrets go in by standard input or by file, never as arguments.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use crate::{Error, Result};

/// How much of a failed program's output its error shows.
const SHOWN: usize = 2000;

/// Runs a command to its end with `input` on standard input, and gives its standard output.
///
/// # Errors
/// [`Error::Start`] where the program is missing, [`Error::Failed`] with its last words where it fails.
pub fn run(command: &mut Command, input: &[u8]) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = feed(command, input).map_err(|source| Error::Start {
        program: program.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Failed {
        program,
        status: output.status.to_string(),
        output: last_words(&output),
    })
}

fn feed(command: &mut Command, input: &[u8]) -> std::io::Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        // A program that ends without reading all of its input breaks the pipe; its status tells the rest.
        scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input)));
        child.wait_with_output()
    })
}

pub(crate) fn last_words(output: &Output) -> String {
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&said[said.len().saturating_sub(SHOWN)..])
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let megabyte = vec![7_u8; 1 << 20];
        assert_eq!(run(&mut Command::new("cat"), &megabyte).unwrap(), megabyte);
    }

    #[test]
    fn a_failure_shows_the_last_words() {
        let error = run(
            Command::new("sh").args(["-c", "echo no such luck >&2; exit 3"]),
            b"",
        )
        .unwrap_err();
        assert!(
            error.to_string().contains("exit status: 3): no such luck"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program"), b"").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`no-such-program` cannot be started"),
            "{error}"
        );
    }
}
