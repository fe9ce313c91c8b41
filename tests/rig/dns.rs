//! The name server of a rig: Debian's `dnsmasq`, knowing the names under `.test` (RFC 6761) and nothing else.
//!
//! QEMU hands the guest's queries to 10.0.2.3 on to the host's first name server, which in the rig is this one.

use std::{path::Path, process::Command};

use crate::{Result, daemon::Daemon};

/// The registry's name.
pub const REGISTRY: &str = "registry.test";
/// The collector's name.
pub const COLLECTOR: &str = "collector.test";
/// The address at which a guest of QEMU's user network finds the loopback of the rig.
pub const RIG_SEEN_BY_GUEST: &str = "10.0.2.2";

/// Starts the name server on the rig's loopback.
///
/// # Errors
/// Where it does not start.
pub fn start(scratch: &Path) -> Result<Daemon> {
    let mut command = Command::new("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--user=",
        "--group=",
    ]);
    command.args([
        "--log-facility=-",
        "--no-resolv",
        "--no-hosts",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
    ]);
    command
        .args([REGISTRY, COLLECTOR].map(|name| format!("--address=/{name}/{RIG_SEEN_BY_GUEST}")));
    Daemon::start(&mut command, &scratch.join("dnsmasq.log"), 53)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{net::UdpSocket, time::Duration};

    use super::*;
    use crate::namespace;

    /// One question for an IPv4 address (RFC 1035, section 4), as slirp passes a guest's on; gives the whole answer.
    fn ask(name: &str) -> Vec<u8> {
        let mut query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend_from_slice(label.as_bytes());
        }
        query.extend_from_slice(b"\x00\x00\x01\x00\x01");
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        socket.send_to(&query, "127.0.0.1:53").unwrap();
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer).unwrap();
        answer[..length].to_vec()
    }

    #[test]
    fn only_the_names_of_the_rig_are_known() {
        namespace::isolated(|| {
            let _dns = start(Path::new(namespace::SCRATCH))?;
            for name in [REGISTRY, COLLECTOR] {
                assert!(ask(name).ends_with(&[0, 4, 10, 0, 2, 2]), "{name}");
            }
            let (refused, answers) = (ask("example.org")[3] & 15, ask("example.org")[7]);
            assert!(
                refused != 0 && answers == 0,
                "code {refused}, {answers} answers"
            );
            Ok(())
        });
    }
}
