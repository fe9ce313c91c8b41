//! A new network namespace, kept alive by a bind mount. It never changes the namespace of a thread that lives on.
#![allow(unsafe_code)] // reason: unshare(2) is unsafe in rustix because of file descriptor tables, which stay shared here

use std::io;
use std::path::Path;

use rustix::thread::UnshareFlags;

/// Makes a network namespace on a thread of its own and binds it to the empty file `at`.
pub(crate) fn bind_new_network(at: &Path) -> io::Result<()> {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                // SAFETY: only NEWNET is given; the table of file descriptors, which is what makes unshare(2) unsafe,
                // stays shared with all threads. This thread ends below, so nothing else ever runs in the namespace.
                unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
                rustix::mount::mount_bind(c"/proc/thread-self/ns/net", at)
            })
            .join()
            .map_err(|_| io::Error::other("the thread that makes the namespace ended early"))?
            .map_err(io::Error::from)
    })
}
