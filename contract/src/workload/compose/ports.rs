//! Reads a published port in Compose's short form: `[address:]guest:container[/protocol]`, with ranges of equal length.
//!
//! A port of the guest is always named: Compose's "any free port" would be one that nobody outside can know.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::super::values;
use crate::plan::Port;

/// The most ports that one entry may publish.
const MOST: usize = 1024;

/// Why an entry is refused: a cause that quotes nothing.
pub(super) type Problem = &'static str;

const MANY: Problem = "more than 1024 ports are published by one entry";

/// What to do about a problem.
pub(super) fn remedy(problem: Problem) -> &'static str {
    if problem == MANY {
        "publish fewer, or write several entries: up to 4096 ports of a service"
    } else {
        "write `guest:container`, with an address before it and `/tcp` or `/udp` after it if needed; ranges are equally long"
    }
}

/// Reads the short form.
///
/// # Errors
/// What is wrong with it.
pub(super) fn short(text: &str) -> Result<Vec<Port>, Problem> {
    let (addresses, protocol) = text
        .split_once('/')
        .map_or((text, "tcp"), |(ports, protocol)| (ports, protocol));
    let (before, container) = addresses
        .rsplit_once(':')
        .ok_or("no port of the guest is named")?;
    let (host_ip, host) = match before.rsplit_once(':') {
        Some((address, host)) => (Some(address), host),
        None => (None, before),
    };
    publish(host_ip, host, container, protocol)
}

/// Publishes a range of ports of the container under an equally long range of the guest.
///
/// # Errors
/// What is wrong with it.
pub(super) fn publish(
    host_ip: Option<&str>,
    host: &str,
    container: &str,
    protocol: &str,
) -> Result<Vec<Port>, Problem> {
    let host_ip = host_ip.map(address).transpose()?;
    let protocol = values::protocol(protocol)?;
    let (host, container) = (range(host)?, range(container)?);
    if host.len() != container.len() {
        return Err("the ranges of guest and container are not equally long");
    }
    if host.len() > MOST {
        return Err(MANY);
    }
    Ok(host
        .zip(container)
        .map(|(host, container)| Port {
            host_ip,
            host,
            container,
            protocol,
        })
        .collect())
}

/// Checks a port of `expose`: a number or a range, with a protocol or without.
///
/// # Errors
/// What is wrong with it.
pub(super) fn exposed(text: &str) -> Result<(), Problem> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    values::protocol(protocol)?;
    range(ports).map(drop)
}

fn address(text: &str) -> Result<IpAddr, Problem> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .map_err(|_| "the address of the guest is no IP address")
}

fn range(text: &str) -> Result<RangeInclusive<u16>, Problem> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err("a range of ports ends before it begins");
    }
    Ok(first..=last)
}

fn port(text: &str) -> Result<u16, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().unwrap_or(0);
    if digits && number > 0 {
        Ok(number)
    } else {
        Err("a port is not a number from 1 to 65535")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn told(ports: &[Port]) -> String {
        let one = |port: &Port| {
            let ip = port.host_ip.map(|ip| format!("{ip} ")).unwrap_or_default();
            format!("{ip}{}>{} {:?}", port.host, port.container, port.protocol)
        };
        ports.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn every_short_form_is_read() {
        for (text, expected) in [
            ("80:8080", "80>8080 Tcp"),
            ("53:5353/udp", "53>5353 Udp"),
            ("80:80/TCP", "80>80 Tcp"),
            ("127.0.0.1:80:8080", "127.0.0.1 80>8080 Tcp"),
            ("[::1]:80:8080/tcp", "::1 80>8080 Tcp"),
            ("::1:80:8080", "::1 80>8080 Tcp"),
            (
                "3000-3002:4000-4002",
                "3000>4000 Tcp, 3001>4001 Tcp, 3002>4002 Tcp",
            ),
            ("65535:65535", "65535>65535 Tcp"),
        ] {
            assert_eq!(told(&short(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_one_known_port_is_refused() {
        for text in [
            "",
            "80",
            "80/tcp",
            ":80",
            "80:",
            "0:80",
            "80:0",
            "65536:80",
            "+80:80",
            "80:80/sctp",
            "80:80/",
            "80:80/tcp/udp",
            "host:80:80",
            "1.2.3:80:80",
            "3000-3001:80",
            "3001-3000:81-80",
            "1-65535:1-65535",
            "80 :80",
            "1-2-3:1-2-3",
            "\u{661}:80",
        ] {
            assert!(short(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = short(&text);
        }

        #[test]
        fn no_port_like_text_makes_it_panic(text in "[0-9:./\\[\\]a-f-]{0,40}") {
            if let Ok(ports) = short(&text) {
                prop_assert!((1..=MOST).contains(&ports.len()));
            }
        }
    }
}
