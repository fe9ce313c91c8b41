//! The first process of a guest in one test: it leaves a child behind that sends SIGTERM to process 1 as soon as somebody
//! connects to [`PORT`], and becomes `/init`. No image has it: the test hands it to the kernel beside the image.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt as _,
    process::Command,
};

use rustix::process::{Pid, Signal, kill_process};

/// Where the child waits.
const PORT: u16 = 9;
/// Tells the child that it is the child.
const CHILD: &str = "wait-then-terminate";

fn main() -> io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(CHILD) {
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?.accept()?;
        return Ok(kill_process(Pid::INIT, Signal::TERM)?);
    }
    Command::new("/test-init").arg(CHILD).spawn()?;
    Err(Command::new("/init").exec())
}
