//! QEMU's control socket: one command, one answer (QEMU Machine Protocol, docs/interop/qmp-spec).
//!
//! It waits ten seconds at most for each line, and reads no more of one than it must.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(10);
const LINE_LIMIT: u64 = 1 << 20;

/// Runs a command without arguments, such as `system_powerdown`.
pub fn execute(socket: &Path, command: &str) -> Result<()> {
    let talk = || -> std::io::Result<std::result::Result<(), String>> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        converse(&stream, &stream, command)
    };
    let failed = |message| Error::Qmp { message };
    talk()
        .map_err(|error| failed(error.to_string()))?
        .map_err(failed)
}

/// The outer error is the connection's, the inner one QEMU's.
fn converse(
    reader: impl Read,
    mut writer: impl Write,
    command: &str,
) -> std::io::Result<std::result::Result<(), String>> {
    let mut reader = BufReader::new(reader);
    // A greeting comes first, then an answer for each command; events may come between them.
    for command in ["qmp_capabilities", command] {
        writeln!(writer, "{}", json!({ "execute": command }))?;
        if let Err(message) = answer(&mut reader)? {
            return Ok(Err(format!("{command}: {message}")));
        }
    }
    Ok(Ok(()))
}

fn answer(reader: &mut impl BufRead) -> std::io::Result<std::result::Result<(), String>> {
    loop {
        let mut line = String::new();
        if reader.by_ref().take(LINE_LIMIT).read_line(&mut line)? == 0 {
            return Ok(Err("closed before it answered".to_owned()));
        }
        let message: Value = serde_json::from_str(&line)?;
        if message.get("return").is_some() {
            return Ok(Ok(()));
        }
        if let Some(error) = message.get("error") {
            return Ok(Err(error["desc"]
                .as_str()
                .unwrap_or("an error without a text")
                .to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GREETING: &str = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n{\"return\": {}}\n";

    fn answered(rest: &str) -> std::result::Result<(), String> {
        let mut sent = Vec::new();
        let result = converse(
            format!("{GREETING}{rest}").as_bytes(),
            &mut sent,
            "system_powerdown",
        )
        .unwrap();
        assert_eq!(
            sent,
            b"{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"system_powerdown\"}\n"
        );
        result
    }

    #[test]
    fn events_before_the_answer_are_passed_over() {
        assert_eq!(
            answered("{\"event\": \"POWERDOWN\"}\n{\"return\": {}}\n"),
            Ok(())
        );
    }

    #[test]
    fn an_error_is_told_in_qemus_words() {
        let result = answered(
            "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such command\"}}\n",
        );
        assert_eq!(result, Err("system_powerdown: no such command".to_owned()));
    }

    #[test]
    fn a_socket_that_closes_is_an_error() {
        assert!(answered("").unwrap_err().contains("closed"));
    }
}
