//! A program in the background: started, waited for until it answers, stopped with its handle.
//!
//! Its output goes to a file in the rig's scratch folder, which an error quotes.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{Error, Result, wait};

const START: Duration = Duration::from_secs(20);

/// A running program, killed on drop. (The namespace kills it too, should the rig itself be killed.)
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command` with its output in `log`, and waits until it accepts TCP connections on `port` of the loopback.
    ///
    /// # Errors
    /// Where it cannot be started, ends early, or does not listen in time.
    pub fn start(command: &mut Command, log: &Path, port: u16) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let file = File::create(log).map_err(Error::io(format!("creating {}", log.display())))?;
        let errors = file
            .try_clone()
            .map_err(Error::io(format!("sharing {}", log.display())))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .map_err(|source| Error::Start {
                program: program.clone(),
                source,
            })?;
        let mut daemon = Self {
            child,
            log: log.into(),
        };
        wait::until(&format!("`{program}` on port {port}"), START, || {
            if let Some(status) = daemon
                .child
                .try_wait()
                .map_err(Error::io(format!("waiting for {program}")))?
            {
                return Err(Error::Failed {
                    program: program.clone(),
                    status: status.to_string(),
                    output: daemon.log(),
                });
            }
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok())
        })?;
        Ok(daemon)
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
