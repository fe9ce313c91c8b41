//! Liveness, readiness and startup probes.

use super::super::reader::{Reader, Value};
use super::{fields, keys};
use crate::plan::{HealthCheck, Probe, Purpose};

/// The longest time that a probe may ask for, in seconds.
const LONGEST: i64 = 24 * 3_600;

/// The ports that a container names, for probes that name one.
pub(super) type Ports = [(String, u16)];

/// Reads a probe; one with nothing in it asks for nothing.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    purpose: Purpose,
    ports: &Ports,
) -> Option<HealthCheck> {
    if !value.is_mapping() {
        reader.expected("a mapping", value);
        return None;
    }
    if value.is_empty() {
        return None;
    }
    let mut probes = Vec::new();
    let (mut delay, mut period, mut timeout): (u64, u64, u64) = (0, 10, 1);
    let (mut successes, mut failures): (u32, u32) = (1, 3);
    for (key, field) in fields::of(reader, value, &keys::PROBE) {
        match key {
            "exec" => probes.push(exec(reader, &field)),
            "httpGet" => probes.push(http(reader, &field, ports)),
            "tcpSocket" => probes.push(tcp(reader, &field, ports)),
            "initialDelaySeconds" => delay = reader.whole(&field, 0..=LONGEST)?,
            "periodSeconds" => period = reader.whole(&field, 1..=LONGEST)?,
            "timeoutSeconds" => timeout = reader.whole(&field, 1..=LONGEST)?,
            "failureThreshold" => failures = reader.whole(&field, 1..=100_000)?,
            "successThreshold" if purpose == Purpose::Readiness => {
                successes = reader.whole(&field, 1..=1_000)?;
            }
            "successThreshold" => successes = reader.whole(&field, 1..=1)?,
            "grpc" | "terminationGracePeriodSeconds" => {
                let cause = format!("`{key}` is not supported");
                reader.refuse_key(
                    &field,
                    cause,
                    "use exec, httpGet or tcpSocket, and the Pod's grace period",
                );
                return None;
            }
            _ => keys::PROBE.refuse(reader, &field, key),
        }
    }
    if probes.len() != 1 {
        let cause = "it is not said once what is asked";
        reader.refuse(value, cause, "write one of exec, httpGet and tcpSocket");
        return None;
    }
    Some(HealthCheck {
        purpose,
        probe: probes.pop()??,
        interval: period * 1_000,
        timeout: timeout * 1_000,
        failures,
        successes,
        start_period: 0,
        start_interval: None,
        initial_delay: delay * 1_000,
    })
}

fn exec(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Probe> {
    let mut command = Vec::new();
    for (key, field) in fields::of(reader, value, &keys::EXEC) {
        match key {
            "command" => command = reader.texts(&field),
            _ => keys::EXEC.refuse(reader, &field, key),
        }
    }
    if command.is_empty() {
        reader.refuse(
            value,
            "there is no command",
            "write `command: [program, argument...]`",
        );
        return None;
    }
    Some(Probe::Exec(command))
}

fn http(reader: &mut Reader<'_>, value: &Value<'_>, ports: &Ports) -> Option<Probe> {
    let (mut path, mut port, mut tls, mut headers) = ("/".to_owned(), None, false, Vec::new());
    for (key, field) in fields::of(reader, value, &keys::HTTP_GET) {
        match key {
            "path" => {
                path = reader.parsed(&field, request_path, "begin with / and use no spaces")?;
            }
            "port" => port = Some(port_of(reader, &field, ports)?),
            "scheme" => {
                let scheme = |text: &str| match text {
                    "HTTP" => Ok(false),
                    "HTTPS" => Ok(true),
                    _ => Err("this scheme is not known"),
                };
                tls = reader.parsed(&field, scheme, "write HTTP or HTTPS")?;
            }
            "httpHeaders" => {
                let items = reader.items(&field);
                headers.extend(items.iter().filter_map(|item| header(reader, item)));
            }
            "host" => no_host(reader, &field),
            _ => keys::HTTP_GET.refuse(reader, &field, key),
        }
    }
    let Some(port) = port else {
        reader.refuse(value, "the port is missing", "write `port`");
        return None;
    };
    Some(Probe::Http {
        port,
        path,
        tls,
        headers,
    })
}

fn tcp(reader: &mut Reader<'_>, value: &Value<'_>, ports: &Ports) -> Option<Probe> {
    let mut port = None;
    for (key, field) in fields::of(reader, value, &keys::TCP_SOCKET) {
        match key {
            "port" => port = Some(port_of(reader, &field, ports)?),
            "host" => no_host(reader, &field),
            _ => keys::TCP_SOCKET.refuse(reader, &field, key),
        }
    }
    if port.is_none() {
        reader.refuse(value, "the port is missing", "write `port`");
    }
    Some(Probe::Tcp { port: port? })
}

fn no_host(reader: &mut Reader<'_>, value: &Value<'_>) {
    let cause = "no host can be named: a probe goes to the address of its own container (not to its 127.0.0.1)";
    reader.refuse_key(
        value,
        cause,
        "remove it; a Host header goes under `httpHeaders`",
    );
}

/// A port by number or by the name that the container gives it.
fn port_of(reader: &mut Reader<'_>, value: &Value<'_>, ports: &Ports) -> Option<u16> {
    let by_name = |text: &str| match text.parse() {
        Ok(0) => Err("this is no port"),
        Ok(port) => Ok(port),
        Err(_) => {
            let named = ports.iter().find(|(name, _)| name == text);
            named
                .map(|(_, port)| *port)
                .ok_or("the container has no port of this name")
        }
    };
    reader.decimal(
        value,
        by_name,
        "write a number, or the name of one of the container's `ports`",
    )
}

fn request_path(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/')
        && text.len() <= 2_048
        && text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        Ok(text.to_owned())
    } else {
        Err("this is no path of a request")
    }
}

fn header(reader: &mut Reader<'_>, item: &Value<'_>) -> Option<(String, String)> {
    let (mut name, mut content) = (None, None);
    for (key, field) in fields::of(reader, item, &keys::NAMED_VALUE) {
        let is_token = |text: &str| {
            let is_good = !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            is_good
                .then(|| text.to_owned())
                .ok_or("this is no name of a header field")
        };
        let is_value = |text: &str| {
            let is_good = text
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic());
            is_good
                .then(|| text.to_owned())
                .ok_or("this is no value of a header field")
        };
        match key {
            "name" => {
                name = Some(reader.parsed(&field, is_token, "use letters, digits and `-`")?);
            }
            "value" => content = Some(reader.parsed(&field, is_value, "use printable ASCII")?),
            _ => keys::NAMED_VALUE.refuse(reader, &field, key),
        }
    }
    if name.is_none() || content.is_none() {
        reader.refuse(
            item,
            "the name or the value is missing",
            "write both `name` and `value`",
        );
    }
    name.zip(content)
}
