//! One layer from the wire into the store, in one pass with bounded memory: received -> SHA-256 -> inflated -> SHA-256
//! (diff-id) -> unpacked. A wrong digest throws its folder away; nothing is kept before both have been checked.

use std::io::{self, BufReader, Read};

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;

use crate::acts::Acts;
use crate::error::{ContainerError, Part};
use crate::image::{Blob, Compression};
use crate::limits;
use crate::store::Store;
use crate::unpack;
use crate::verify::{Digest, Tally};

/// One layer to fetch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer {
    pub blob: Blob,
    pub compression: Compression,
    pub diff_id: Digest,
}

/// Why a layer's bytes were not kept.
#[derive(Debug)]
pub(crate) enum Rejected {
    Mismatch(Part, Digest),
    Malformed(String),
    Store(ContainerError),
}

/// Takes a layer from the wire into the store: hashed before and after inflating, while it is unpacked.
pub(crate) fn receive(
    layer: Layer,
    wire: impl Read,
    store: &Store,
    acts: &dyn Acts,
) -> Result<(), Rejected> {
    let partial = store.begin().map_err(Rejected::Store)?;
    let mut sent = Tally::new(wire, layer.blob.size);
    let unpacked = inflate_and_unpack(&mut sent, layer, partial.path(), acts);
    // Tampered bytes mostly fail to inflate first; the digest is what says so.
    let whole = sent.drain();
    match whole {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            return Err(Rejected::Malformed(error.to_string()));
        }
        Err(_) => return Err(Rejected::Mismatch(Part::Layer, layer.blob.digest)),
        Ok(()) if sent.digest() != layer.blob.digest => {
            return Err(Rejected::Mismatch(Part::Layer, layer.blob.digest));
        }
        Ok(()) => {}
    }
    if unpacked? != layer.diff_id {
        return Err(Rejected::Mismatch(Part::UnpackedLayer, layer.diff_id));
    }
    partial.keep(store, layer.diff_id).map_err(Rejected::Store)
}

fn inflate_and_unpack(
    sent: &mut impl Read,
    layer: Layer,
    into: &std::path::Path,
    acts: &dyn Acts,
) -> Result<Digest, Rejected> {
    let malformed = |error: &dyn std::fmt::Display| Rejected::Malformed(error.to_string());
    let sent = BufReader::with_capacity(64 << 10, sent);
    let inflated: Box<dyn Read + '_> = match layer.compression {
        Compression::None => Box::new(sent),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(sent)),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(sent).map_err(|e| malformed(&e))?;
            decoder
                .window_log_max(limits::ZSTD_WINDOW_LOG)
                .map_err(|e| malformed(&e))?;
            Box::new(decoder)
        }
    };
    let bound = layer.blob.size.saturating_mul(limits::RATIO);
    let bound = bound.clamp(limits::RATIO_FREE, limits::LAYER_UNPACKED);
    let mut inflated = Tally::new(inflated, bound);
    unpack::unpack(&mut inflated, into, acts).map_err(|error| match error {
        unpack::UnpackError::Io { cause, .. } if is_store(&cause) => {
            Rejected::Store(crate::store::fault(into, "unpacking a layer", cause))
        }
        error => malformed(&error),
    })?;
    inflated.drain().map_err(|e| malformed(&e))?;
    Ok(inflated.digest())
}

/// Whether a fault is the disk's rather than the archive's.
fn is_store(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
    ) || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// What comes over the channel, as a reader; a sender that goes away before the end is a broken transfer.
pub(crate) struct Chunks {
    receiver: mpsc::Receiver<Option<Bytes>>,
    current: Bytes,
    ended: bool,
}

impl Chunks {
    pub(crate) fn new(receiver: mpsc::Receiver<Option<Bytes>>) -> Self {
        Self {
            receiver,
            current: Bytes::new(),
            ended: false,
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.receiver.blocking_recv() {
                Some(Some(chunk)) => self.current = chunk,
                Some(None) => self.ended = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::BrokenPipe,
                        "the transfer broke off",
                    ));
                }
            }
        }
        let count = self.current.len().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
