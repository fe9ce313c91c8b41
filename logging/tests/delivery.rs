//! Delivery through the faults of a real collector: restarts, sudden death, standing still, and the end of the log.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hpcr_logging::{LoggingError, Settings, start};
use rig::{Authority, Collector, SOON, begin, free_port, record, rsyslogd};

/// How often each numbered line arrived.
fn count(collector: &Collector) -> BTreeMap<u32, usize> {
    let mut arrived = BTreeMap::new();
    for line in collector.lines() {
        if let Some(number) = line.split("line number ").nth(1) {
            *arrived
                .entry(number.split(' ').next().unwrap().parse().unwrap())
                .or_default() += 1;
        }
    }
    arrived
}

/// Ends the collector by a signal in the middle of many lines, and starts it again half a second later.
async fn survives(signal: &str, spare: usize) {
    const LINES: u32 = 10_000;
    let Some(program) = rsyslogd() else { return };
    let authority = Authority::new();
    authority.issue_server();
    let port = free_port();
    let mut collector = Collector::start(&program, port, &authority, &authority);
    let settings = Settings {
        spare,
        ..Settings::default()
    };
    let logger = start(
        &authority.contract(port),
        record("the first line"),
        settings,
    )
    .await
    .unwrap();
    let producer = tokio::spawn({
        let logger = logger.clone();
        async move {
            for number in 1..=LINES {
                logger
                    .log(record(format!(
                        "line number {number} of a log that must come whole"
                    )))
                    .await
                    .unwrap();
                if number % 30 == 0 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    collector.end(signal);
    let before = count(&collector).len();
    assert!(
        0 < before && before < LINES as usize,
        "the collector ended in the middle ({before})"
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    collector.resume();
    producer.await.unwrap();
    logger.flush(Duration::from_secs(30)).await.unwrap();
    logger.log(record("the last line")).await.unwrap();
    logger.close(SOON).await.unwrap();
    collector.wait_for("the last line").await;
    let arrived = count(&collector);
    let missing: Vec<u32> = (1..=LINES)
        .filter(|number| !arrived.contains_key(number))
        .collect();
    let repeated = arrived.values().filter(|times| **times > 1).count();
    println!("{signal}: {before} lines before, {repeated} came twice");
    assert!(
        missing.is_empty(),
        "{} lines are missing: {:?}",
        missing.len(),
        &missing[..missing.len().min(20)]
    );
    assert!(
        arrived.values().all(|times| *times <= 2),
        "one loss repeats a line once at most"
    );
    // What fits into the spare (a frame is longer than 120 bytes), and half a second's lines that have not settled.
    let bound = spare / 120 + 50 * 30;
    assert!(repeated <= bound, "{repeated} repeats, more than {bound}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_outlives_a_restart_of_the_collector() {
    survives("TERM", 256 * 1024).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_outlives_the_death_of_the_collector() {
    survives("KILL", 64 * 1024).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_stands_still_stops_its_writers_and_loses_nothing() {
    const LINES: usize = 3000;
    let Some(program) = rsyslogd() else { return };
    let authority = Authority::new();
    authority.issue_server();
    let port = free_port();
    let collector = Collector::start(&program, port, &authority, &authority);
    let settings = Settings {
        budget: 256 * 1024,
        spare: 256 * 1024,
        ..Settings::default()
    };
    let logger = start(
        &authority.contract(port),
        record("the first line"),
        settings,
    )
    .await
    .unwrap();
    collector.process().signal("STOP");
    let taken = Arc::new(AtomicUsize::new(0));
    let producer = tokio::spawn({
        let (logger, taken) = (logger.clone(), Arc::clone(&taken));
        async move {
            for number in 0..LINES {
                logger
                    .log(record(format!("line number {number} {}", "x".repeat(1000))))
                    .await
                    .unwrap();
                taken.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let still = loop {
        let before = taken.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        if taken.load(Ordering::Relaxed) == before {
            break before;
        }
    };
    println!("{still} of {LINES} lines were taken while the collector stood still");
    assert!(
        still < LINES,
        "writers wait for a collector that does not read"
    );
    assert!(matches!(
        logger.flush(Duration::from_millis(200)).await,
        Err(LoggingError::NotFlushed { .. })
    ));
    collector.process().signal("CONT");
    producer.await.unwrap();
    logger.log(record("the last line")).await.unwrap();
    logger.close(Duration::from_secs(30)).await.unwrap();
    collector.wait_for("the last line").await;
    let arrived = count(&collector);
    assert_eq!(arrived.len(), LINES);
    assert!(
        arrived.values().all(|times| *times == 1),
        "nothing was lost, so nothing was repeated"
    );
}

#[tokio::test]
async fn closing_is_bounded_and_final() {
    let Some(program) = rsyslogd() else { return };
    let authority = Authority::new();
    authority.issue_server();
    let port = free_port();
    let mut collector = Collector::start(&program, port, &authority, &authority);
    let logger = begin(&authority.contract(port)).await.unwrap();
    collector.end("KILL");
    logger.log(record("nobody will read this")).await.unwrap();
    let begun = Instant::now();
    let closed = logger.close(Duration::from_secs(1)).await;
    assert!(
        matches!(closed, Err(LoggingError::NotFlushed { .. })),
        "{closed:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(2));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(matches!(
        logger.log(record("too late")).await,
        Err(LoggingError::Closed)
    ));
}
