//! What containers write, as lines for the collector. A full channel holds the container up; nothing is dropped and
//! nothing goes anywhere else.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::mpsc;

use crate::limits;

/// One line of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The service.
    pub service: Arc<str>,
    /// Which of its streams.
    pub stream: Stream,
    /// The bytes without the newline; at most 64 KiB, longer lines come in pieces.
    pub bytes: Vec<u8>,
}

/// A standard stream of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Hands lines on until the pipe ends or nobody takes them any more.
pub(crate) async fn pump(
    pipe: impl AsyncRead + Unpin,
    service: Arc<str>,
    stream: Stream,
    to: mpsc::Sender<Line>,
) {
    let mut reader = BufReader::with_capacity(16 << 10, pipe);
    let mut line = Vec::new();
    let mut continued = false;
    loop {
        let (taken, complete) = match reader.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(buffer) => {
                let room = &buffer[..buffer.len().min(limits::LINE - line.len())];
                let end = room.iter().position(|&b| b == b'\n');
                line.extend_from_slice(&room[..end.unwrap_or(room.len())]);
                (end.map_or(room.len(), |end| end + 1), end.is_some())
            }
        };
        reader.consume(taken);
        let only_the_end = complete && continued && line.is_empty();
        continued = !complete && (continued || line.len() == limits::LINE);
        if !only_the_end && (complete || line.len() == limits::LINE) {
            let bytes = std::mem::take(&mut line);
            if to
                .send(Line {
                    service: Arc::clone(&service),
                    stream,
                    bytes,
                })
                .await
                .is_err()
            {
                return;
            }
        }
    }
    if !line.is_empty() {
        // Where nobody listens any more there is nobody to tell.
        let _ = to
            .send(Line {
                service,
                stream,
                bytes: line,
            })
            .await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn lines(input: &[u8]) -> Vec<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (sender, mut receiver) = mpsc::channel(1);
            let pump = pump(input, "a".into(), Stream::Stdout, sender);
            let collect = async {
                let mut all = Vec::new();
                while let Some(line) = receiver.recv().await {
                    all.push(line.bytes);
                }
                all
            };
            tokio::join!(pump, collect).1
        })
    }

    #[test]
    fn lines_come_without_their_newline_and_the_last_needs_none() {
        assert_eq!(lines(b"a\n\nb\r\nc"), [&b"a"[..], b"", b"b\r", b"c"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let pieces = lines(&vec![b'x'; 3 * limits::LINE + 1]);
        assert_eq!(
            pieces.iter().map(Vec::len).collect::<Vec<_>>(),
            [limits::LINE, limits::LINE, limits::LINE, 1]
        );
        let exact = lines(&[vec![b'x'; limits::LINE], b"\n\ny\n".to_vec()].concat());
        assert_eq!(
            exact.iter().map(Vec::len).collect::<Vec<_>>(),
            [limits::LINE, 0, 1]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a\n]{0,300}") {
            let expected: Vec<_> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
            prop_assert_eq!(lines(text.as_bytes()), expected);
        }
    }
}
