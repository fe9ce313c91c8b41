//! Lines a second into a real collector, beside rsyslog forwarding the same lines over the same TLS. A measurement, not a
//! check: `cargo test --release -p hpcr-logging --test throughput -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hpcr_logging::record::Severity;
use hpcr_logging::sources::lines;
use hpcr_logging::{Settings, start};
use rig::{Authority, Collector, Process, free_port, origin, record, rsyslogd};

const LINES: u32 = 200_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn lines_a_second() {
    let Some(program) = rsyslogd() else { return };
    let authority = Authority::new();
    authority.issue_server();
    let mut text = String::new();
    for number in 0..LINES {
        writeln!(text, "line number {number} {}", "x".repeat(80)).unwrap();
    }
    let last = format!("line number {} ", LINES - 1);

    let port = free_port();
    let collector = Collector::start(&program, port, &authority, &authority);
    let logger = start(
        &authority.contract(port),
        record("first"),
        Settings {
            budget: 64 << 20,
            ..Settings::default()
        },
    )
    .await
    .unwrap();
    let begun = Instant::now();
    lines::forward(
        text.as_bytes(),
        "text",
        &origin(),
        Severity::Informational,
        &logger,
    )
    .await
    .unwrap();
    logger.log(record("the end")).await.unwrap();
    collector.wait_for(&last).await;
    let ours = begun.elapsed();
    logger.close(Duration::from_secs(30)).await.unwrap();
    collector.wait_for("the end").await;
    drop(collector);

    let port = free_port();
    let collector = Collector::start(&program, port, &authority, &authority);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let at = |name: &str| authority.path(name).display().to_string();
    std::fs::write(at("text"), text).unwrap();
    let configuration = format!(
        r#"global(workDirectory="{work}" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{ca}"
               defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
           main_queue(queue.size="500000")
           module(load="imfile")
           input(type="imfile" file="{text}" tag="peer")
           action(type="omfwd" protocol="tcp" target="127.0.0.1" port="{port}" TCP_Framing="octet-counted"
               template="RSYSLOG_SyslogProtocol23Format" StreamDriver="gtls" StreamDriverMode="1"
               StreamDriverAuthMode="x509/certvalid")"#,
        work = authority.directory.path().display(),
        ca = at("ca.pem"),
        certificate = at("client.pem"),
        key = at("client.key"),
        text = at("text"),
    );
    std::fs::write(at("peer.conf"), configuration).unwrap();
    let begun = Instant::now();
    let _peer = Process::spawn(
        Command::new(&program)
            .args(["-n", "-f", &at("peer.conf"), "-i", &at("peer.pid")])
            .stdout(Stdio::null()),
    );
    collector.wait_for(&last).await;
    let peer = begun.elapsed();
    let rate = |took: Duration| format!("{:.0} lines/s", f64::from(LINES) / took.as_secs_f64());
    println!(
        "{LINES} lines: ours {} ({ours:?}), rsyslog {} ({peer:?})",
        rate(ours),
        rate(peer)
    );
}
