//! One service: its container run, its lines read, its end judged, its restart decided.
//!
//! `crun run` stays in the foreground as a child of this process, so its exit is the container's. Nothing here sets up
//! the root file system or the network; [`crate::engine`] has done that.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hpcr_contract::plan::Restart;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::ContainerError;
use crate::lines::{self, Line, Stream};
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
    pub restart: Restart,
    pub stop_signal: String,
    pub grace: Duration,
}

/// How a service came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It did what it had to, or was told to stop.
    Done,
    /// It failed for good, with this exit status (128 and the signal's number, where one killed it).
    Failed(i32),
}

/// What follows the end of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    RestartAfter(Duration),
    End(End),
}

/// Decides what follows. Pure. `restarts` counts those since the container last ran for [`STEADY`].
pub(crate) fn next(policy: Restart, status: i32, restarts: u32) -> Next {
    let again = match policy {
        Restart::Always => true,
        Restart::OnFailure(most) => status != 0 && most.is_none_or(|most| restarts < most),
        Restart::No => false,
    };
    match (again, status) {
        (true, _) => Next::RestartAfter(
            (FIRST_PAUSE * 2u32.saturating_pow(restarts.min(16))).min(LONGEST_PAUSE),
        ),
        (false, 0) => Next::End(End::Done),
        (false, status) => Next::End(End::Failed(status)),
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A container that ran this long is taken to have started well: the count of restarts begins anew.
const STEADY: Duration = Duration::from_secs(10);
/// What a stop leaves for a container's last lines: a log that takes none any more must not hold the end up.
const LAST_LINES: Duration = Duration::from_secs(1);
/// How long a container that was killed may take to be gone; then crun itself is killed.
const KILLED: Duration = Duration::from_secs(1);
/// How often crun is looked at while a container starts.
const START_POLL: Duration = Duration::from_millis(10);

impl Container {
    /// Runs the service until it ends or `stop` says so. The first start is reported, so that a command that does not
    /// exist fails the boot and not only the supervision.
    pub(crate) async fn supervise(
        self,
        lines: mpsc::Sender<Line>,
        mut stop: watch::Receiver<Option<Duration>>,
        started: oneshot::Sender<Result<(), ContainerError>>,
    ) -> Result<End, ContainerError> {
        let mut started = Some(started);
        let mut restarts = 0;
        loop {
            let begun = Instant::now();
            let run = match self.start(&lines).await {
                Ok(run) => run,
                Err(error) => match started.take() {
                    // Whoever waits for the first start gets the error; supervision has nothing to add.
                    Some(first) => {
                        return first.send(Err(error)).map_or_else(
                            |unheard| unheard.map(|()| End::Done),
                            |()| Ok(End::Done),
                        );
                    }
                    None => return Err(error),
                },
            };
            if let Some(first) = started.take() {
                // Nobody waiting means that the appliance is going down already.
                let _ = first.send(Ok(()));
            }
            let status = self.ended(run, &mut stop).await?;
            if stop.borrow().is_some() {
                return Ok(End::Done);
            }
            if begun.elapsed() >= STEADY {
                restarts = 0;
            }
            match next(self.restart, status, restarts) {
                Next::End(end) => return Ok(end),
                Next::RestartAfter(pause) => {
                    tracing::info!(
                        service = &*self.name,
                        status,
                        ?pause,
                        "the service ended and is started again"
                    );
                    restarts += 1;
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stop.changed() => return Ok(End::Done),
                    }
                }
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

    /// Waits for the end, which a stop request brings about; gives the exit status once every line has been handed on,
    /// or a stop request has left enough time for that.
    async fn ended(
        &self,
        mut run: Run,
        stop: &mut watch::Receiver<Option<Duration>>,
    ) -> Result<i32, ContainerError> {
        let status = tokio::select! {
            status = run.child.wait() => status,
            _ = stop.changed() => {
                let limit = stop.borrow().unwrap_or_default();
                let grace = self.grace.min(limit.saturating_sub(LAST_LINES));
                self.stop(&mut run.child, grace).await
            }
        };
        let status = status.map_err(|error| self.fault("waiting for it", error))?;
        let out_of_time = async {
            // A sender that is gone means the end as well.
            let _ = stop.wait_for(Option::is_some).await;
            tokio::time::sleep(LAST_LINES).await;
        };
        tokio::select! {
            () = async { while run.pumps.join_next().await.is_some() {} } => {}
            // What is still in the pipes is lost; dropping the pumps ends them.
            () = out_of_time => tracing::warn!(service = &*self.name, "its last lines were not taken"),
        }
        Ok(status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1))
    }

    /// Asks the container to end, and ends it when it does not.
    async fn stop(
        &self,
        child: &mut Child,
        grace: Duration,
    ) -> std::io::Result<std::process::ExitStatus> {
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
