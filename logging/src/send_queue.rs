//! How much of what was written to a TCP socket the other side's kernel has acknowledged.
//!
//! This module never reads or writes the stream's data; it counts bytes on the way out and asks the kernel.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP stream that counts what is written to it.
#[derive(Debug)]
pub(crate) struct Counted {
    stream: TcpStream,
    written: Arc<AtomicU64>,
}

/// Looks at a [`Counted`] stream from beside.
#[derive(Debug)]
pub(crate) struct Gauge {
    socket: OwnedFd,
    written: Arc<AtomicU64>,
}

/// A stream and its gauge.
pub(crate) fn counted(stream: TcpStream) -> io::Result<(Counted, Gauge)> {
    let written = Arc::new(AtomicU64::new(0));
    let socket = stream.as_fd().try_clone_to_owned()?;
    Ok((
        Counted {
            stream,
            written: Arc::clone(&written),
        },
        Gauge { socket, written },
    ))
}

impl Gauge {
    /// Bytes handed to the socket since it was opened.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Bytes of these that the peer's kernel has acknowledged.
    pub(crate) fn acknowledged(&self) -> io::Result<u64> {
        // In this order: bytes written between the two would otherwise look acknowledged.
        let written = self.written();
        Ok(written.saturating_sub(unacknowledged(&self.socket)?))
    }
}

/// SIOCOUTQ, which is TIOCOUTQ: bytes in the send queue, sent and not yet acknowledged ones included (tcp(7)).
#[allow(unsafe_code)] // No safe wrapper offers this ioctl.
fn unacknowledged(socket: &OwnedFd) -> io::Result<u64> {
    use rustix::ioctl::{Getter, Opcode, ioctl};
    const TIOCOUTQ: Opcode = if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) {
        0x4004_7473
    } else {
        0x5411
    };
    // SAFETY: TIOCOUTQ is a valid opcode whose only effect is to store one C int, which is what the getter holds.
    let queued = unsafe { ioctl(socket, Getter::<TIOCOUTQ, std::ffi::c_int>::new()) }?;
    Ok(u64::try_from(queued).unwrap_or(0))
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = &result {
            self.written.fetch_add(*count as u64, Ordering::Release);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn bytes_that_the_peer_does_not_take_stay_unacknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let (mut counted, gauge) = counted(stream).unwrap();
        let mut total = 0;
        let block = [7; 8192];
        while let Ok(count) =
            tokio::time::timeout(std::time::Duration::from_millis(300), counted.write(&block)).await
        {
            total += count.unwrap() as u64;
        }
        assert_eq!(gauge.written(), total);
        let stuck = gauge.acknowledged().unwrap();
        assert!(stuck < total, "{stuck} of {total}");
        let mut taken = vec![0; usize::try_from(total).unwrap()];
        peer.read_exact(&mut taken).await.unwrap();
        for _ in 0..100 {
            if gauge.acknowledged().unwrap() == total {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!(
            "everything was read, yet only {} of {total} is acknowledged",
            gauge.acknowledged().unwrap()
        );
    }
}
