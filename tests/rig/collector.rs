//! The collector of a rig: Debian's `rsyslogd`, taking RFC 5424 over mutual TLS on port 6514 (RFC 5425).
//!
//! It takes lines only from a client whose certificate its own authority issued to [`GUEST`], and writes each to a
//! file as it came over the wire.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    Error, Result,
    certificates::{Authority, Identity},
    daemon::Daemon,
    dns, wait,
};

/// RFC 5425's port.
pub const PORT: u16 = 6514;
/// The name in the certificate that the collector asks of its clients.
pub const GUEST: &str = "guest.test";

const CONFIGURATION: &str = "rsyslog.conf";

/// A collector, running unless it was killed, with what a client needs to reach it.
#[derive(Debug)]
pub struct Collector {
    authority: Authority,
    client: Identity,
    folder: PathBuf,
    received: PathBuf,
    daemon: Option<Daemon>,
}

impl Collector {
    /// Starts the collector with an authority of its own, in a new folder of `scratch`.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start(scratch: &Path) -> Result<Self> {
        let authority = Authority::new(scratch, "collector")?;
        let folder = scratch.join("collector");
        let server = authority.issue(dns::COLLECTOR, &["IP:127.0.0.1"])?;
        let client = authority.issue(GUEST, &[])?;
        let received = folder.join("received.log");
        let text = configure(&folder, authority.certificate(), &server, &received);
        fs::write(folder.join(CONFIGURATION), text)
            .map_err(Error::io(format!("writing {CONFIGURATION}")))?;
        let mut collector = Self {
            authority,
            client,
            folder,
            received,
            daemon: None,
        };
        collector.resume()?;
        Ok(collector)
    }

    /// Kills it: what it had taken in and not written is gone. What it has written stays.
    pub fn kill(&mut self) {
        self.daemon = None;
    }

    /// Starts it again where it is not running.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn resume(&mut self) -> Result<()> {
        if self.daemon.is_none() {
            let mut command = Command::new("rsyslogd");
            command
                .args(["-n", "-i", "NONE", "-f"])
                .arg(self.folder.join(CONFIGURATION));
            let log = self.folder.join("rsyslogd.log");
            self.daemon = Some(Daemon::start(&mut command, &log, PORT)?);
        }
        Ok(())
    }

    /// The certificate of its authority, PEM.
    pub fn authority(&self) -> &Path {
        self.authority.certificate()
    }

    /// The certificate and key that it lets in.
    pub fn client(&self) -> &Identity {
        &self.client
    }

    /// Every line so far, as it came.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn received(&self) -> Result<String> {
        match fs::read(&self.received) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(Error::io("reading what the collector received")(error)),
        }
    }

    /// Waits for a line with `text` in it.
    ///
    /// # Errors
    /// [`Error::TooLate`].
    pub fn wait_for(&self, text: &str, limit: Duration) -> Result<String> {
        let found = wait::until(
            &format!("a line with `{text}` at the collector"),
            limit,
            || {
                Ok(self
                    .received()?
                    .lines()
                    .find(|line| line.contains(text))
                    .map(str::to_owned))
            },
        );
        let log = self.daemon.as_ref().map(Daemon::log);
        found.map_err(|error| error.with_hint(&log.unwrap_or_default()))
    }
}

fn configure(folder: &Path, authority: &Path, server: &Identity, received: &Path) -> String {
    let (folder, authority, received) = (folder.display(), authority.display(), received.display());
    let (certificate, key) = (server.certificate.display(), server.key.display());
    format!(
        r#"global(workDirectory="{folder}"
    defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{authority}"
    defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1"
    streamDriver.authMode="x509/name" permittedPeer=["{GUEST}"])
input(type="imtcp" port="{PORT}")
template(name="wire" type="string" string="%rawmsg%\n")
action(type="omfile" file="{received}" template="wire" flushInterval="1" asyncWriting="off")
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command, namespace};

    const LINE: &str =
        "<14>1 2026-11-21T12:00:00.000Z guest hpcr-init 1 HPL10001I - all services started";

    fn send(collector: &Collector, client: &Identity) -> Result<Vec<u8>> {
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-quiet",
            "-no_ign_eof",
            "-verify_return_error",
            "-connect",
            "127.0.0.1:6514",
            "-CAfile",
        ]);
        command
            .arg(collector.authority())
            .arg("-cert")
            .arg(&client.certificate)
            .arg("-key")
            .arg(&client.key);
        command::run(&mut command, format!("{} {LINE}", LINE.len()).as_bytes())
    }

    #[test]
    fn the_collector_writes_what_its_client_sends() {
        namespace::isolated(|| {
            let collector = Collector::start(Path::new(namespace::SCRATCH))?;
            send(&collector, collector.client())?;
            assert_eq!(
                collector.wait_for("HPL10001I", Duration::from_secs(5))?,
                LINE
            );
            Ok(())
        });
    }

    #[test]
    fn the_collector_takes_nothing_from_a_stranger() {
        namespace::isolated(|| {
            let scratch = Path::new(namespace::SCRATCH);
            let collector = Collector::start(scratch)?;
            let stranger = Authority::new(scratch, "elsewhere")?.issue(GUEST, &[])?;
            // TLS 1.3 may tell the refusal only after the client has written: the file decides, not the client.
            let _ = send(&collector, &stranger);
            send(&collector, collector.client())?;
            collector.wait_for("HPL10001I", Duration::from_secs(5))?;
            assert_eq!(collector.received()?.lines().count(), 1);
            Ok(())
        });
    }
}
