//! Fetching a page from the guest through its forwarded port, as little of HTTP as that needs.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// The most that a page may hold.
const LARGEST: u64 = 1 << 20;
/// How long one attempt may take: the guest may be busy, and QEMU answers for one that does not listen yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches `path` from the guest that is behind `port` of the loopback; nothing where it does not answer with 200, yet.
pub fn get(port: u16, path: &str) -> Option<String> {
    attempt(port, path).ok().flatten()
}

fn attempt(port: u16, path: &str) -> std::io::Result<Option<String>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: guest.test\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(LARGEST).read_to_string(&mut answer)?;
    Ok(page(&answer))
}

/// The body of an answer with status 200.
fn page(answer: &str) -> Option<String> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    (head.split(' ').nth(1) == Some("200")).then(|| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_answer_is_a_page() {
        assert_eq!(
            page("HTTP/1.0 200 OK\r\nA: b\r\n\r\nvisits: 7\n").as_deref(),
            Some("visits: 7\n")
        );
        for other in [
            "",
            "HTTP/1.0 200 OK\r\n",
            "HTTP/1.0 404 Not Found\r\n\r\nnot here",
        ] {
            assert_eq!(page(other), None, "{other}");
        }
    }
}
