//! How a service is asked about its health: a program run in its container, a GET or a connection to its address. What
//! it answers is never kept or told, as it may be secret; only whether it is good.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use hpcr_contract::plan::{HealthCheck, Probe};
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::cgroup::Check;
use crate::health::Ask;
use crate::service::Container;
use crate::tool;

/// Asks one service.
pub(crate) struct Prober {
    container: Container,
    address: Ipv4Addr,
    http: Option<reqwest::Client>,
}

/// The file that says what a check runs: it holds the service's environment, and so lies in memory and is root's alone.
pub(crate) fn program(bundle: &Path, number: usize) -> PathBuf {
    bundle.join(format!("check-{number}.json"))
}

impl Prober {
    /// For a container at this address; the caller has written what its checks run.
    pub(crate) fn new(
        container: &Container,
        address: Ipv4Addr,
        checks: &[HealthCheck],
    ) -> Result<Self, String> {
        let is_http = |check: &HealthCheck| matches!(check.probe, Probe::Http { .. });
        let http = checks.iter().any(is_http).then(client).transpose();
        Ok(Self {
            container: container.clone(),
            address,
            http: http.map_err(|error| error.to_string())?,
        })
    }

    async fn get(
        &self,
        scheme: &str,
        port: u16,
        path: &str,
        headers: &[(String, String)],
    ) -> Result<(), String> {
        let client = self.http.as_ref().ok_or("there is no HTTP client")?;
        let mut request = client.get(format!("{scheme}://{}:{port}{path}", self.address));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.send().await;
        // The request may hold a secret, which some errors repeat.
        let answer =
            answer.map_err(|error| format!("no answer at port {port}: {}", kind(&error)))?;
        match answer.status().as_u16() {
            200..400 => Ok(()),
            status => Err(format!("port {port} answered with HTTP {status}")),
        }
    }

    async fn execute(&self, number: usize) -> Result<(), String> {
        let group = self.container.cgroup.check(number);
        let group = group.map_err(|error| format!("its control group cannot be made: {error}"))?;
        let program = program(&self.container.bundle, number);
        let arguments: [&OsStr; 10] = [
            "--root".as_ref(),
            self.container.state.as_ref(),
            "--cgroup-manager".as_ref(),
            "cgroupfs".as_ref(),
            "exec".as_ref(),
            "--cgroup".as_ref(),
            group.name.as_ref(),
            "--process".as_ref(),
            program.as_ref(),
            (*self.container.name).as_ref(),
        ];
        let mut command = tool::command(&self.container.crun, &arguments);
        let spawned = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let crun = spawned.map_err(|error| format!("crun cannot be run: {error}"))?;
        match (Running { crun, group }).crun.wait().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("its program ended with {}", told(status))),
            Err(error) => Err(format!("its program could not be waited for: {error}")),
        }
    }
}

impl Ask for Prober {
    async fn ask(&self, number: usize, check: &HealthCheck) -> Result<(), String> {
        match &check.probe {
            Probe::Exec(_) => self.execute(number).await,
            Probe::Http {
                port,
                path,
                tls,
                headers,
            } => {
                let scheme = if *tls { "https" } else { "http" };
                self.get(scheme, *port, path, headers).await
            }
            Probe::Tcp { port } => {
                let connected = TcpStream::connect((self.address, *port)).await;
                connected
                    .map(drop)
                    .map_err(|error| format!("no connection to port {port}: {error}"))
            }
        }
    }
}

/// A client that believes nobody and goes nowhere else: an answer says only that something answers.
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .tls_danger_accept_invalid_certs(true)
        .build()
}

fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "the connection failed"
    } else if error.is_builder() {
        "the path or a header field is none that HTTP knows"
    } else {
        "the answer broke off"
    }
}

fn told(status: ExitStatus) -> String {
    status
        .code()
        .map_or_else(|| "a signal".to_owned(), |code| format!("status {code}"))
}

/// A program that runs in the container. However the check comes to its end, everything that it has started there ends.
struct Running {
    crun: Child,
    group: Check,
}

impl Drop for Running {
    fn drop(&mut self) {
        // crun first: it starts the program inside of the group. One that has ended needs no killing.
        let _ = self.crun.start_kill();
        self.group.kill();
    }
}
