//! Runs the image's own tools, `crun` and `netavark`: without the environment of this process, within a time, and with
//! what they say on failure kept short. It never puts a value of the contract into their arguments.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::limits;

/// A command with an environment of its own.
pub(crate) fn command(program: &Path, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    command
}

/// Runs a tool to its end; on failure gives what it said.
pub(crate) async fn run(program: &Path, arguments: &[&OsStr], input: &[u8]) -> Result<(), String> {
    let mut command = command(program, arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let shown = program.display();
    let mut child = command
        .spawn()
        .map_err(|error| format!("{shown} cannot be run: {error}"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A tool that ends early says more by its exit than by the broken pipe.
            let _ = stdin.write_all(input).await;
        }
    };
    let finished = async { tokio::join!(child.wait(), feed, head(stdout), head(stderr)) };
    let (status, (), out, err) = tokio::time::timeout(limits::TOOL, finished)
        .await
        .map_err(|_| format!("{shown} did not end within {} s", limits::TOOL.as_secs()))?;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!(
            "{shown} failed ({status}): {}",
            one_line(&if err.is_empty() { out } else { err })
        )),
        Err(error) => Err(format!("{shown} could not be waited for: {error}")),
    }
}

/// The first bytes of a pipe; the rest is read and dropped, so that the tool is not held up.
async fn head(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        // What cannot be read is missing from an error text only.
        let _ = (&mut pipe)
            .take(limits::TOOL_OUTPUT)
            .read_to_end(&mut kept)
            .await;
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    kept
}

/// Text of a tool for an error: its last line, printable and short.
pub(crate) fn one_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it said nothing");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn shell(script: &str, input: &[u8]) -> Result<(), String> {
        run(
            Path::new("/bin/sh"),
            &["-c".as_ref(), script.as_ref()],
            input,
        )
        .await
    }

    #[tokio::test]
    async fn a_tool_gets_its_input_and_nothing_of_our_environment() {
        let script = r#"read line; test "$line" = hello && test "$(env | grep -v -e ^PATH= -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=)" = """#;
        assert_eq!(shell(script, b"hello\n").await, Ok(()));
    }

    #[tokio::test]
    async fn a_failing_tool_is_quoted_in_one_short_line() {
        let error = shell(
            "echo first >&2; printf 'bad \\033[31m%s' $(seq 1000) >&2; exit 3",
            b"",
        )
        .await
        .unwrap_err();
        assert!(
            error.contains("bad [31m1")
                && !error.contains("first")
                && !error.contains('\u{1b}')
                && error.len() < 400,
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_tool_that_says_much_is_not_held_up() {
        assert_eq!(
            shell(
                "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2",
                &vec![b'x'; 1_000_000]
            )
            .await,
            Ok(())
        );
    }
}
