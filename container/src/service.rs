//! One service: its container run, its lines read, its health watched, its end judged, its restart decided.
//!
//! `crun run` stays in the foreground as a child of this process, so its exit is the container's. Nothing here sets up
//! the root file system or the network; [`crate::setup`] and [`crate::group`] have done that.

use std::ffi::OsStr;
use std::fmt;
use std::future::Future;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::plan::{HealthCheck, Restart};
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::cgroup::Cgroup;
use crate::error::ContainerError;
use crate::health::{self, Ask, Told};
use crate::lines::{self, Line, Stream};
use crate::order::Standing;
use crate::stopping::Stopping;
use crate::tool;

/// A container that is ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub name: Arc<str>,
    pub crun: PathBuf,
    /// crun's own state folder, in memory.
    pub state: PathBuf,
    /// The folder with `config.json`.
    pub bundle: PathBuf,
    /// The service's, which holds the container's own.
    pub cgroup: Cgroup,
    pub restart: Restart,
    pub stop_signal: String,
    pub grace: Duration,
}

/// How a service came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It did what it had to, or was told to stop.
    Done,
    /// It failed for good.
    Failed(Exit),
}

/// How one run of a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Its exit status: 128 and the signal's number, where one killed it.
    pub status: i32,
    /// Why it was stopped, where a health check failed.
    pub unhealthy: Option<String>,
    /// Whether the kernel killed a process of it for want of memory.
    pub out_of_memory: bool,
}

impl Exit {
    fn is_good(&self) -> bool {
        self.status == 0 && self.unhealthy.is_none()
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unhealthy {
            Some(cause) => write!(f, "it was stopped as {cause}")?,
            None => write!(f, "it ended with status {}", self.status)?,
        }
        if self.out_of_memory {
            f.write_str(" after the kernel had killed a process of it for want of memory")?;
        }
        Ok(())
    }
}

/// What follows the end of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    RestartAfter(Duration),
    End,
}

/// Decides what follows a good end or a bad one. Pure. `restarts` counts those since the container last ran for
/// [`STEADY`].
pub(crate) fn next(policy: Restart, is_good: bool, restarts: u32) -> Next {
    let again = match policy {
        Restart::Always => true,
        Restart::OnFailure(most) => !is_good && most.is_none_or(|most| restarts < most),
        Restart::No => false,
    };
    if again {
        let pause = FIRST_PAUSE * 2u32.saturating_pow(restarts.min(16));
        Next::RestartAfter(pause.min(LONGEST_PAUSE))
    } else {
        Next::End
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A container that ran this long is taken to have started well: the count of restarts begins anew.
const STEADY: Duration = Duration::from_secs(10);
/// What a stop leaves for a container's last lines: a log that takes none any more must not hold the end up.
pub(crate) const LAST_LINES: Duration = Duration::from_secs(1);
/// How long a container that was killed may take to be gone; then crun itself is killed.
const KILLED: Duration = Duration::from_secs(1);
/// How often crun is looked at while a container starts.
const START_POLL: Duration = Duration::from_millis(10);

impl Container {
    /// Runs the service until it ends or is told to, and tells how it stands. A program that cannot be started is an error.
    pub(crate) async fn supervise(
        &self,
        lines: &mpsc::Sender<Line>,
        (checks, asked): (&[HealthCheck], &impl Ask),
        standing: &watch::Sender<Standing>,
        stopping: &mut Stopping,
    ) -> Result<End, ContainerError> {
        let mut restarts = 0;
        loop {
            let (begun, kills) = (Instant::now(), self.cgroup.kills());
            let run = self.start(lines).await?;
            standing.send_modify(|own| {
                (own.started, own.unhealthy) = (true, false);
                // Also where it has ended before anybody looks at its health.
                own.ready |= checks.is_empty();
            });
            let unhealthy = health::watch(checks, asked, |told| self.tell(told, standing));
            let mut exit = self.ended(run, unhealthy, stopping).await?;
            if stopping.is_asked() {
                return Ok(End::Done);
            }
            exit.out_of_memory = self.cgroup.kills() > kills;
            if begun.elapsed() >= STEADY {
                restarts = 0;
            }
            match next(self.restart, exit.is_good(), restarts) {
                Next::End if exit.is_good() => return Ok(End::Done),
                Next::End => return Ok(End::Failed(exit)),
                Next::RestartAfter(pause) => {
                    tracing::warn!(service = &*self.name, %exit, ?pause, "it is started again");
                    restarts += 1;
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stopping.asked() => return Ok(End::Done),
                    }
                }
            }
        }
    }

    fn tell(&self, told: Told, standing: &watch::Sender<Standing>) {
        match told {
            Told::Ready => {
                standing.send_modify(|own| (own.ready, own.unhealthy) = (true, false));
            }
            Told::Unready(cause) => {
                tracing::warn!(
                    service = &*self.name,
                    cause,
                    "it does not pass its readiness check"
                );
                standing.send_modify(|own| own.unhealthy = true);
            }
        }
    }

    /// Starts the container and waits until its program runs.
    async fn start(&self, lines: &mpsc::Sender<Line>) -> Result<Run, ContainerError> {
        self.delete().await;
        let (pid_file, log) = (self.bundle.join("pid"), self.bundle.join("crun.log"));
        for path in [&pid_file, &log] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(self.fault("starting it", error));
                }
                _ => {}
            }
        }
        let arguments: [&OsStr; 13] = [
            "--root".as_ref(),
            self.state.as_ref(),
            "--cgroup-manager".as_ref(),
            "cgroupfs".as_ref(),
            "--log".as_ref(),
            log.as_ref(),
            "run".as_ref(),
            "--bundle".as_ref(),
            self.bundle.as_ref(),
            "--pid-file".as_ref(),
            pid_file.as_ref(),
            "--".as_ref(),
            (*self.name).as_ref(),
        ];
        let mut command = tool::command(&self.crun, &arguments);
        let spawned = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|error| self.fault("starting crun", error))?;
        let mut pumps = tokio::task::JoinSet::new();
        if let Some(pipe) = child.stdout.take() {
            pumps.spawn(lines::pump(
                pipe,
                Arc::clone(&self.name),
                Stream::Stdout,
                lines.clone(),
            ));
        }
        if let Some(pipe) = child.stderr.take() {
            pumps.spawn(lines::pump(
                pipe,
                Arc::clone(&self.name),
                Stream::Stderr,
                lines.clone(),
            ));
        }
        // crun writes the process id once the container's program has been executed.
        loop {
            if pid_file.exists() {
                return Ok(Run { child, pumps });
            }
            let ended = tokio::time::timeout(START_POLL, child.wait()).await;
            if let Ok(status) = ended {
                if pid_file.exists() {
                    return Ok(Run { child, pumps });
                }
                let said = tool::one_line(&read_tail(&log));
                let cause = status.map_or_else(
                    |error| error.to_string(),
                    |status| format!("{status}: {said}"),
                );
                return Err(self.fault("its program could not be started", cause));
            }
        }
    }

    /// Waits for the end, which failing health or a stop request brings about; gives how it ended once every line has
    /// been handed on, or a stop request has left enough time for that.
    async fn ended(
        &self,
        mut run: Run,
        unhealthy: impl Future<Output = String>,
        stopping: &mut Stopping,
    ) -> Result<Exit, ContainerError> {
        let mut exit = Exit::default();
        let status = tokio::select! {
            status = run.child.wait() => status,
            left = stopping.turn() => self.stop(&mut run.child, left).await,
            cause = unhealthy => {
                exit.unhealthy = Some(cause);
                tokio::select! {
                    status = self.stop(&mut run.child, self.grace) => status,
                    left = stopping.turn() => self.stop(&mut run.child, left).await,
                }
            }
        };
        let status = status.map_err(|error| self.fault("waiting for it", error))?;
        let out_of_time = async {
            stopping.asked().await;
            tokio::time::sleep(LAST_LINES).await;
        };
        tokio::select! {
            () = async { while run.pumps.join_next().await.is_some() {} } => {}
            // What is still in the pipes is lost; dropping the pumps ends them.
            () = out_of_time => tracing::warn!(service = &*self.name, "its last lines were not taken"),
        }
        exit.status = status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1);
        Ok(exit)
    }

    /// Asks the container to end, and ends it when it does not within its grace or the time that is `left`.
    async fn stop(
        &self,
        child: &mut Child,
        left: Duration,
    ) -> std::io::Result<std::process::ExitStatus> {
        let grace = self.grace.min(left);
        if let Err(cause) = self
            .crun(&[
                "kill".as_ref(),
                (*self.name).as_ref(),
                self.stop_signal.as_ref(),
            ])
            .await
        {
            tracing::warn!(
                service = &*self.name,
                cause,
                "the stop signal could not be sent"
            );
        }
        if let Ok(status) = tokio::time::timeout(grace, child.wait()).await {
            return status;
        }
        tracing::warn!(
            service = &*self.name,
            ?grace,
            "the service did not stop in time and is killed"
        );
        self.delete().await;
        if let Ok(status) = tokio::time::timeout(KILLED, child.wait()).await {
            return status;
        }
        child.start_kill()?;
        child.wait().await
    }

    /// Takes the container away, killing it where it still runs. One that is not there is no error.
    pub(crate) async fn delete(&self) {
        let _ = self
            .crun(&["delete".as_ref(), "--force".as_ref(), (*self.name).as_ref()])
            .await;
    }

    async fn crun(&self, arguments: &[&OsStr]) -> Result<(), String> {
        let common: [&OsStr; 4] = [
            "--root".as_ref(),
            self.state.as_ref(),
            "--cgroup-manager".as_ref(),
            "cgroupfs".as_ref(),
        ];
        tool::run(&self.crun, &[&common, arguments].concat(), b"").await
    }

    fn fault(&self, act: &'static str, cause: impl std::fmt::Display) -> ContainerError {
        ContainerError::Service {
            service: self.name.to_string(),
            act,
            cause: cause.to_string(),
        }
    }
}

/// A container that runs.
struct Run {
    child: Child,
    pumps: tokio::task::JoinSet<()>,
}

/// The end of crun's log, which holds a few lines at most.
fn read_tail(log: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(log) {
        // A log that cannot be read leaves the exit status as the only cause.
        let _ = file
            .take(crate::limits::TOOL_OUTPUT)
            .read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests;
