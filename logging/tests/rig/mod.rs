//! Real collectors for tests: certificates made by the openssl command line, `rsyslogd` with gtls, `openssl s_server`.
//! Everything lives in a temporary directory and ends with the value that owns it.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hpcr_contract::plan::{ClientIdentity, Syslog};
use hpcr_logging::record::{Facility, Origin, Record, Severity};
use hpcr_logging::{Logger, LoggingError, Settings, start};

/// Runs a command to its end; what it says is shown only if it fails.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn openssl(directory: &Path, arguments: &str) -> Vec<u8> {
    run(Command::new("openssl")
        .current_dir(directory)
        .args(arguments.split_whitespace()))
}

/// A certificate authority with its own directory.
pub(crate) struct Authority {
    pub(crate) directory: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        openssl(
            directory.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem \
             -subj /CN=test-authority -days 2 -addext keyUsage=critical,keyCertSign,cRLSign",
        );
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        fs::read(self.path("ca.pem")).unwrap()
    }

    /// Makes `NAME.key` (PKCS#8) and `NAME.pem`, valid for `days`, with these subject alternative names.
    pub(crate) fn issue(&self, name: &str, alternative_names: &str, usage: &str, days: u32) {
        let directory = self.directory.path();
        let extensions = format!(
            "subjectAltName={alternative_names}\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n"
        );
        fs::write(directory.join("extensions"), extensions).unwrap();
        openssl(
            directory,
            &format!(
                "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
            ),
        );
        openssl(
            directory,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} -extfile extensions -out {name}.pem"
            ),
        );
    }

    pub(crate) fn issue_server(&self) {
        self.issue("server", "DNS:localhost,IP:127.0.0.1", "serverAuth", 2);
    }

    pub(crate) fn client(&self) -> ClientIdentity {
        self.issue("client", "DNS:guest", "clientAuth", 2);
        ClientIdentity {
            certificate: fs::read(self.path("client.pem")).unwrap(),
            key: fs::read_to_string(self.path("client.key")).unwrap().into(),
        }
    }

    /// What a contract says of a collector at this port, with a client certificate of the same authority.
    pub(crate) fn contract(&self, port: u16) -> Syslog {
        Syslog {
            host: "localhost".to_owned(),
            port,
            authorities: self.certificate(),
            client: Some(self.client()),
        }
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A child that does not outlive its owner.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self(
            command
                .spawn()
                .unwrap_or_else(|error| panic!("{command:?}: {error}")),
        )
    }

    pub(crate) fn signal(&self, name: &str) {
        run(Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.0.id().to_string()));
    }

    pub(crate) fn wait(&mut self) {
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where rsyslogd is, or none, with the reason printed.
pub(crate) fn rsyslogd() -> Option<PathBuf> {
    let found = [
        "/usr/sbin/rsyslogd",
        "/sbin/rsyslogd",
        "/usr/local/sbin/rsyslogd",
    ]
    .into_iter()
    .map(PathBuf::from);
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: rsyslogd is not installed (packages rsyslog and rsyslog-gnutls)");
    }
    found
}

/// An rsyslogd with imtcp over gtls that asks for a certificate of `trusts` and writes `MSGID SD MSG` lines.
pub(crate) struct Collector {
    program: PathBuf,
    directory: tempfile::TempDir,
    process: Option<Process>,
}

impl Collector {
    pub(crate) fn start(program: &Path, port: u16, server: &Authority, trusts: &Authority) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let configuration = format!(
            r#"global(workDirectory="{work}" maxMessageSize="8k" defaultNetstreamDriver="gtls"
                   defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}"
                   defaultNetstreamDriverKeyFile="{key}")
               main_queue(queue.type="LinkedList" queue.size="100000" queue.timeoutShutdown="20000")
               module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
               input(type="imtcp" address="127.0.0.1" port="{port}")
               template(name="line" type="string" string="%hostname% %app-name% %msgid% %structured-data% %msg%\n")
               syslog.* stop
               action(type="omfile" file="{lines}" template="line")"#,
            work = directory.path().display(),
            ca = trusts.path("ca.pem").display(),
            certificate = server.path("server.pem").display(),
            key = server.path("server.key").display(),
            lines = at("lines"),
        );
        fs::write(at("conf"), configuration).unwrap();
        let mut collector = Self {
            program: program.to_owned(),
            directory,
            process: None,
        };
        collector.resume();
        collector
    }

    /// Starts it (again).
    pub(crate) fn resume(&mut self) {
        let at = |name: &str| self.directory.path().join(name);
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(at("log"))
            .unwrap();
        self.process = Some(Process::spawn(
            Command::new(&self.program)
                .arg("-n")
                .arg("-f")
                .arg(at("conf"))
                .arg("-i")
                .arg(at("pid"))
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log),
        ));
    }

    pub(crate) fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    /// Ends it by a signal and waits until it is gone.
    pub(crate) fn end(&mut self, signal: &str) {
        let mut process = self.process.take().unwrap();
        process.signal(signal);
        process.wait();
    }

    /// What it has written so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = fs::read(self.directory.path().join("lines")).unwrap_or_default();
        String::from_utf8_lossy(&text)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Waits until a line contains this text.
    pub(crate) async fn wait_for(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.lines().iter().any(|line| line.contains(text)) {
            assert!(
                Instant::now() < until,
                "{text} never came; {} lines did",
                self.lines().len()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it says of itself.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

/// An `openssl s_server` that insists on a client certificate of `trusts`, with further options.
pub(crate) fn s_server(
    port: u16,
    server: &Authority,
    trusts: &Authority,
    options: &str,
) -> Process {
    Process::spawn(
        Command::new("openssl")
            .args([
                "s_server",
                "-quiet",
                "-naccept",
                "1000",
                "-Verify",
                "1",
                "-verify_return_error",
            ])
            .args(["-accept", &format!("127.0.0.1:{port}")])
            .arg("-CAfile")
            .arg(trusts.path("ca.pem"))
            .arg("-cert")
            .arg(server.path("server.pem"))
            .arg("-key")
            .arg(server.path("server.key"))
            .args(options.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
}

pub(crate) fn origin() -> Origin {
    Origin::new(Facility::DAEMON, "guest-1", "hpcr-test", "1")
}

pub(crate) fn record(message: impl Into<Vec<u8>>) -> Record {
    Record::new(
        &origin(),
        Severity::Informational,
        time::OffsetDateTime::now_utc(),
        message,
    )
}

/// More than any test's last lines need.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) async fn begin(plan: &Syslog) -> Result<Logger, LoggingError> {
    start(plan, record("the first line"), Settings::default()).await
}
