//! Phase 2: which TEE this is, and what evidence it can give. What is found decides nothing about keys: their source was
//! fixed when the image was built, because an indicator at run time proves nothing.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use rustix::fs::OFlags;

use crate::error::Error;
use crate::guest::Guest;
use crate::phases::early::Early;
use crate::platform::{Facts, detect};

/// A platform that has been told of.
#[derive(Debug)]
pub(crate) struct Platform(());

pub(crate) async fn run(guest: &Arc<Guest>, _early: &Early) -> Result<Platform, Error> {
    let log = kernel_log(guest).map_err(Error::act("reading", "/dev/kmsg"))?;
    let tee = detect(&Facts::read(&guest.path("/"), &log));
    let evidence = if tee.gives_evidence() {
        "gives evidence"
    } else {
        "gives no evidence"
    };
    guest
        .console
        .note(&format!("trusted execution environment: {tee}, {evidence}"));
    Ok(Platform(()))
}

/// What the kernel has said so far.
fn kernel_log(guest: &Guest) -> std::io::Result<String> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(guest.path("/dev/kmsg"))?;
    let (mut log, mut buffer) = (String::new(), [0; 16 * 1024]);
    loop {
        // One message a read; the end is EAGAIN, a message that was overwritten meanwhile EPIPE.
        match rustix::io::read(&file, &mut buffer) {
            Ok(0) | Err(rustix::io::Errno::AGAIN) => return Ok(log),
            Ok(count) => log.push_str(&String::from_utf8_lossy(&buffer[..count])),
            Err(rustix::io::Errno::PIPE) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
