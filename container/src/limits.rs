//! Every bound on what comes from outside, in one place, each with its reason.

use std::time::Duration;

/// Bytes of a manifest or an index: what registries themselves accept.
pub(crate) const MANIFEST: u64 = 4 << 20;
/// Bytes of an image configuration.
pub(crate) const CONFIG: u64 = 4 << 20;
/// Bytes of a token service's answer: real tokens have a few KiB.
pub(crate) const TOKEN: usize = 64 << 10;
/// Layers of an image: overlayfs takes 500, real images stay below 128.
pub(crate) const LAYERS: usize = 128;
/// Compressed bytes of one layer.
pub(crate) const LAYER: u64 = 32 << 30;
/// Unpacked bytes of one layer.
pub(crate) const LAYER_UNPACKED: u64 = 64 << 30;
/// Unpacked over compressed bytes: deflate itself cannot go above 1,032.
pub(crate) const RATIO: u64 = 1_100;
/// Unpacked bytes that the ratio does not apply to.
pub(crate) const RATIO_FREE: u64 = 64 << 20;
/// Entries of one layer.
pub(crate) const ENTRIES: u64 = 1_000_000;
/// Bytes of headers and extended headers before one entry.
pub(crate) const HEADERS: u64 = 1 << 20;
/// Bytes of a path in a layer (`PATH_MAX`).
pub(crate) const PATH: usize = 4_096;
/// Components of a path in a layer.
pub(crate) const DEPTH: usize = 128;
/// Bytes of all folder names of a layer, which are kept in memory to set their times last.
pub(crate) const FOLDER_NAMES: usize = 32 << 20;
/// Largest window of a zstd frame, as a power of two: 8 MiB is what level 19 uses, 32 MiB leaves room.
pub(crate) const ZSTD_WINDOW_LOG: u32 = 25;
/// Bytes of an image's `/etc/passwd` and `/etc/group`.
pub(crate) const USER_DATABASE: u64 = 1 << 20;
/// Bytes of one log line; a longer one is handed on in pieces.
pub(crate) const LINE: usize = 64 << 10;
/// Bytes kept of what a tool says on failure.
pub(crate) const TOOL_OUTPUT: u64 = 16 << 10;

/// Bytes of memory that containers leave to the guest itself.
pub(crate) const MEMORY_RESERVE: u64 = 96 << 20;

/// Layers downloaded and unpacked at the same time.
pub(crate) const PARALLEL_LAYERS: usize = 4;
/// Chunks between download and unpacking; a chunk is at most some 16 KiB (one TLS record).
pub(crate) const CHUNKS: usize = 64;
/// How long a registry may be silent, over all tries: a dead one must end the boot within 30 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// One TCP and TLS handshake.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);
/// Silence within one answer.
pub(crate) const READ: Duration = Duration::from_secs(8);
/// Tries of one request that keep making some progress.
pub(crate) const TRIES: u32 = 6;
/// A token of a registry is asked for again after this time: 60 s is the least that a token lives.
pub(crate) const TOKEN_AGE: Duration = Duration::from_secs(45);
/// One call of `crun` or `netavark` that only sets something up or takes it down.
pub(crate) const TOOL: Duration = Duration::from_secs(20);
