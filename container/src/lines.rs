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
    /// Whether the line goes on in the next one of the same service and stream.
    pub continues: bool,
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
    let send = async |bytes, continues| {
        let service = Arc::clone(&service);
        let line = Line {
            service,
            stream,
            bytes,
            continues,
        };
        to.send(line).await
    };
    loop {
        let (taken, complete, continues) = match reader.fill_buf().await {
            Ok([]) | Err(_) => break,
            Ok(buffer) => {
                let room = limits::LINE - line.len();
                // Only the byte after a full piece says whether its line goes on.
                let end = buffer.iter().take(room + 1).position(|&b| b == b'\n');
                let text = &buffer[..end.unwrap_or(buffer.len().min(room))];
                line.extend_from_slice(text);
                let continues = end.is_none() && text.len() < buffer.len();
                let taken = text.len() + usize::from(end.is_some());
                (taken, end.is_some(), continues)
            }
        };
        reader.consume(taken);
        if (complete || continues) && send(std::mem::take(&mut line), continues).await.is_err() {
            return;
        }
    }
    if !line.is_empty() {
        // Where nobody listens any more there is nobody to tell.
        let _ = send(line, false).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn pieces(input: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (sender, mut receiver) = mpsc::channel(1);
            let pump = pump(input, "a".into(), Stream::Stdout, sender);
            let collect = async {
                let mut all = Vec::new();
                while let Some(line) = receiver.recv().await {
                    all.push((line.bytes, line.continues));
                }
                all
            };
            tokio::join!(pump, collect).1
        })
    }

    fn lines(input: &[u8]) -> Vec<Vec<u8>> {
        let whole = |(bytes, continues): (Vec<u8>, bool)| {
            assert!(!continues);
            bytes
        };
        pieces(input).into_iter().map(whole).collect()
    }

    #[test]
    fn lines_come_without_their_newline_and_the_last_needs_none() {
        assert_eq!(lines(b"a\n\nb\r\nc"), [&b"a"[..], b"", b"b\r", b"c"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let sizes = |input: &[u8]| -> Vec<_> {
            let pieces = pieces(input).into_iter();
            pieces
                .map(|(bytes, continues)| (bytes.len(), continues))
                .collect()
        };
        let full = limits::LINE;
        assert_eq!(
            sizes(&vec![b'x'; 2 * full + 1]),
            [(full, true), (full, true), (1, false)]
        );
        assert_eq!(sizes(&vec![b'x'; full]), [(full, false)]);
        let exact = [vec![b'x'; 2 * full], b"\n\ny\n".to_vec()].concat();
        assert_eq!(
            sizes(&exact),
            [(full, true), (full, false), (0, false), (1, false)]
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
