//! The log against real collectors: what is accepted arrives, what is refused is told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::time::{Duration, Instant};

use hpcr_contract::plan::Syslog;
use hpcr_logging::record::{Element, MESSAGE_LIMIT, Severity};
use hpcr_logging::sources::{kmsg, lines};
use hpcr_logging::{Cause, LoggingError, Settings, start};
use tokio::io::AsyncWriteExt;

use rig::{Authority, Collector, SOON, begin, free_port, origin, record, rsyslogd, s_server};

/// The cause of a start that must fail, and how long it took to know.
async fn refusal(plan: &Syslog, start_within: Duration) -> (Cause, Duration) {
    let begun = Instant::now();
    let settings = Settings {
        start_within,
        ..Settings::default()
    };
    let error = start(plan, record("the first line"), settings)
        .await
        .expect_err("must be refused");
    assert_eq!(error.code().to_string(), "HPL01011E", "{error}");
    println!("{error}");
    match error {
        LoggingError::Collector { cause, .. } => (cause, begun.elapsed()),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_accepted_line_is_with_the_collector() {
    let Some(program) = rsyslogd() else { return };
    let authority = Authority::new();
    authority.issue_server();
    let port = free_port();
    let collector = Collector::start(&program, port, &authority, &authority);
    let first = record("grüße\nfrom \x1b[31mhere")
        .with_message_id("HPL01010I")
        .with_element(Element::new("x@32473").with("k", "a\"]b"));
    let logger = start(&authority.contract(port), first, Settings::default())
        .await
        .unwrap();
    logger.close(SOON).await.unwrap();
    collector.wait_for("HPL01010I").await;
    assert_eq!(
        collector.lines(),
        [
            r#"guest-1 hpcr-test HPL01010I [meta sequenceId="1"][x@32473 k="a\"\]b"] grüße#012from #033[31mhere"#
        ]
    );
}

#[tokio::test]
async fn a_long_line_arrives_whole_in_several_records() {
    let Some(program) = rsyslogd() else { return };
    let authority = Authority::new();
    authority.issue_server();
    let port = free_port();
    let collector = Collector::start(&program, port, &authority, &authority);
    let logger = begin(&authority.contract(port)).await.unwrap();
    let text = "0123456789€".repeat(10 * MESSAGE_LIMIT / 13);
    lines::forward(
        text.as_bytes(),
        "test",
        &origin(),
        Severity::Notice,
        &logger,
    )
    .await
    .unwrap();
    logger.log(record("the end")).await.unwrap();
    logger.close(SOON).await.unwrap();
    collector.wait_for("the end").await;
    let pieces: Vec<String> = collector
        .lines()
        .into_iter()
        .filter(|line| line.contains("0123456789"))
        .collect();
    let joined: String = pieces
        .iter()
        .map(|piece| piece.splitn(6, ' ').nth(5).unwrap())
        .collect();
    assert_eq!(joined, text);
    assert!(
        pieces.len() > 10
            && pieces
                .iter()
                .rev()
                .skip(1)
                .all(|piece| piece.contains(" + [meta")),
        "{}",
        pieces.len()
    );
}

#[tokio::test]
async fn rsyslog_that_refuses_the_client_certificate_is_noticed() {
    let Some(program) = rsyslogd() else { return };
    let (authority, other) = (Authority::new(), Authority::new());
    authority.issue_server();
    let port = free_port();
    let collector = Collector::start(&program, port, &authority, &authority);
    let plan = Syslog {
        client: Some(other.client()),
        ..authority.contract(port)
    };
    let (cause, took) = refusal(&plan, Duration::from_secs(4)).await;
    assert_eq!(
        cause,
        Cause::HungUp,
        "rsyslog sends no alert: {}",
        collector.log()
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (cause, _) = refusal(
        &Syslog {
            client: None,
            ..plan
        },
        Duration::from_secs(4),
    )
    .await;
    assert!(
        matches!(cause, Cause::HungUp | Cause::ClientCertificateMissing),
        "{cause}"
    );
    assert_eq!(collector.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn the_alert_that_tls_1_3_sends_late_ends_the_start_at_once() {
    let (authority, other) = (Authority::new(), Authority::new());
    authority.issue_server();
    for version in ["-tls1_3", "-tls1_2"] {
        let port = free_port();
        let _server = s_server(port, &authority, &authority, version);
        let stranger = Syslog {
            client: Some(other.client()),
            ..authority.contract(port)
        };
        let (cause, took) = refusal(&stranger, SOON).await;
        assert!(
            matches!(cause, Cause::ClientCertificateRefused(_)),
            "{version}: {cause}"
        );
        assert!(took < Duration::from_secs(4), "{version}: {took:?}");
        let nobody = Syslog {
            client: None,
            ..authority.contract(port)
        };
        let (cause, _) = refusal(&nobody, SOON).await;
        let expected = if version == "-tls1_3" {
            Cause::ClientCertificateMissing
        } else {
            Cause::NothingInCommon
        };
        assert_eq!(cause, expected, "{version}");
        begin(&authority.contract(port))
            .await
            .unwrap_or_else(|error| panic!("{version}: {error}"));
    }
}

#[tokio::test]
async fn a_collector_that_is_not_the_contracts_is_refused_at_once() {
    let (authority, other) = (Authority::new(), Authority::new());
    authority.issue_server();
    let port = free_port();
    let _server = s_server(port, &authority, &authority, "");
    begin(&authority.contract(port)).await.unwrap();

    let stranger = Syslog {
        authorities: other.certificate(),
        ..authority.contract(port)
    };
    let (cause, took) = refusal(&stranger, SOON).await;
    assert_eq!(cause, Cause::UnknownAuthority);
    assert!(took < Duration::from_secs(2), "{took:?}");

    let misnamed = Syslog {
        host: "127.0.0.2".to_owned(),
        ..authority.contract(port)
    };
    let any = free_port();
    authority.issue(
        "server",
        "DNS:elsewhere.example,IP:10.0.0.1",
        "serverAuth",
        2,
    );
    let _elsewhere = s_server(any, &authority, &authority, "");
    for host in ["localhost", "127.0.0.1"] {
        let plan = Syslog {
            host: host.to_owned(),
            ..authority.contract(any)
        };
        assert_eq!(refusal(&plan, SOON).await.0, Cause::WrongName, "{host}");
    }
    assert_eq!(refusal(&misnamed, Duration::ZERO).await.0, Cause::Refused);

    authority.issue("server", "DNS:localhost", "serverAuth", 0);
    let late = free_port();
    let _expired = s_server(late, &authority, &authority, "");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(
        refusal(&authority.contract(late), SOON).await.0,
        Cause::Expired
    );
}

#[tokio::test]
async fn faults_that_may_pass_are_tried_again_until_the_time_is_up() {
    let authority = Authority::new();
    authority.issue_server();
    let port = free_port();
    let plan = authority.contract(port);
    let (cause, took) = refusal(&plan, Duration::from_secs(2)).await;
    assert_eq!(cause, Cause::Refused);
    assert!(
        Duration::from_secs(1) < took && took < Duration::from_secs(3),
        "{took:?}"
    );

    let (_server, begun) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            s_server(port, &authority, &authority, "")
        },
        begin(&plan)
    );
    begun.unwrap();

    let nowhere = Syslog {
        host: "no-such-host.invalid".to_owned(),
        ..authority.contract(port)
    };
    assert_eq!(refusal(&nowhere, Duration::ZERO).await.0, Cause::Lookup);
    let mail = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mail.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = mail.accept().await {
            let _ = stream.write_all(b"220 this is a mail server\r\n").await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(
        refusal(&authority.contract(port), SOON).await.0,
        Cause::NotTls
    );
    let nonsense = Syslog {
        host: "not a name".to_owned(),
        ..authority.contract(port)
    };
    assert_eq!(refusal(&nonsense, SOON).await.0, Cause::BadName);
}

#[tokio::test]
async fn messages_of_the_kernel_arrive_with_their_own_priority() {
    let Some(program) = rsyslogd() else { return };
    let authority = Authority::new();
    authority.issue_server();
    let port = free_port();
    let collector = Collector::start(&program, port, &authority, &authority);
    let logger = begin(&authority.contract(port)).await.unwrap();
    let fifo = authority.path("kmsg");
    rig::run(std::process::Command::new("mkfifo").arg(&fifo));
    let writer = tokio::task::spawn_blocking({
        let fifo = fifo.clone();
        move || {
            use std::io::Write;
            let mut kernel = std::fs::File::options().write(true).open(fifo).unwrap();
            kernel
                .write_all(b"6,7,5140900,-;first of the kernel\n SUBSYSTEM=pci\n DEVICE=+pci:0\n")
                .unwrap();
            std::thread::sleep(Duration::from_millis(200));
            kernel
                .write_all(b"4,10,5140901,-;second of the kernel\n")
                .unwrap();
        }
    });
    // A reader that opens before the writer would see the end at once.
    let keep_open = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&fifo)
        .unwrap();
    let reader = {
        let logger = logger.clone();
        tokio::spawn(async move { kmsg::forward(&fifo, &origin(), &logger).await })
    };
    writer.await.unwrap();
    collector.wait_for("second of the kernel").await;
    drop(keep_open);
    reader.await.unwrap().unwrap();
    logger.close(SOON).await.unwrap();
    let messages: Vec<String> = collector
        .lines()
        .iter()
        .map(|line| line.splitn(6, ' ').nth(5).unwrap().to_owned())
        .collect();
    let expected = [
        "the first line",
        "first of the kernel",
        "2 kernel messages were overwritten before they could be read",
        "second of the kernel",
    ];
    assert_eq!(messages, expected);
}
