#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::{Mount, Restart};
use crate::secret::{ExposeSecret as _, SecretString};
use proptest::prelude::*;

const IMAGE: &str = "registry.example:5000/web@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn archive(compose: &str) -> Archive {
    let files = [
        ("docker-compose.yaml", compose),
        ("conf/web.conf", "listen 80"),
        (
            "web.env",
            "# comment\nFROM_FILE=file\nBOTH='$HOST'\nexport QUOTED=\"a $HOST \\$x\"\nAGAIN=$FROM_FILE!\nGREETING\n",
        ),
        ("bad.env", "OPEN='hunter2\n"),
    ];
    Archive {
        files: files
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
            .into(),
        compose: "docker-compose.yaml",
    }
}

fn variables() -> Variables {
    [
        ("HOST", "registry.example:5000"),
        ("GREETING", "hunter2"),
        ("PORT", "8080"),
        ("FLAG", "true"),
        ("EMPTY", ""),
    ]
    .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
    .into()
}

fn read_text(compose: &str) -> Result<Workload, Vec<Finding>> {
    read(archive(compose), &variables(), &["/mnt/data".to_owned()])
}

/// One service with these further lines.
fn service(lines: &str) -> Result<Service, Vec<Finding>> {
    let lines: Vec<_> = lines.lines().map(|line| format!("    {line}\n")).collect();
    let lines = lines.concat();
    read_text(&format!("services:\n  web:\n    image: {IMAGE}\n{lines}"))
        .map(|mut workload| workload.services.remove(0))
}

fn environment(service: &Service) -> Vec<(&str, &str)> {
    service
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect()
}

#[test]
fn every_key_of_the_subset_reaches_the_plan() {
    let service = service(concat!(
        "container_name: front\nlabels: {a: b}\nx-note: 1\ncommand: nginx -g 'daemon off;'\nentrypoint: [\"/entry\", \"$PORT\"]\n",
        "ports:\n  - \"$PORT:80\"\n  - {target: 53, published: 5353, protocol: udp, host_ip: 127.0.0.1, mode: host}\n",
        "volumes:\n  - /mnt/data/www:/srv\n  - ./conf:/etc/web:ro\n  - .:/all\n  - /var/hyperprotect:/attestation\n",
        "  - {type: bind, source: /mnt/data, target: /data, read_only: true}\n  - {type: tmpfs, target: /cache}\n",
        "tmpfs: /run\nuser: 1000:1000\nworking_dir: /srv\nhostname: web\nread_only: $FLAG\ncap_add: [CAP_NET_ADMIN]\n",
        "cap_drop: [all]\nprivileged: false\nrestart: on-failure:3\nstop_grace_period: 1m\nstop_signal: quit\ninit: false\n",
    ))
    .unwrap();
    let texts = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(service.image.to_string(), IMAGE);
    assert_eq!(service.command, texts(&["nginx", "-g", "daemon off;"]));
    assert_eq!(service.entrypoint, texts(&["/entry", "8080"]));
    let ports: Vec<_> = service
        .ports
        .iter()
        .map(|port| (port.host_ip.is_some(), port.host, port.container))
        .collect();
    assert_eq!(ports, [(false, 8080, 80), (true, 5353, 53)]);
    let bind = |source: &str, target: &str, read_only| Mount::Bind {
        source: source.into(),
        target: target.into(),
        read_only,
    };
    let file = |source: &str, target: &str, read_only| Mount::File {
        source: source.into(),
        target: target.into(),
        read_only,
    };
    let tmpfs = |target: &str| Mount::Tmpfs {
        target: target.into(),
        bytes: None,
        mode: None,
    };
    assert_eq!(
        service.mounts,
        [
            bind("/mnt/data/www", "/srv", false),
            file("conf", "/etc/web", true),
            file("", "/all", false),
            bind("/var/hyperprotect", "/attestation", true),
            bind("/mnt/data", "/data", true),
            tmpfs("/cache"),
            tmpfs("/run"),
        ]
    );
    assert_eq!(
        (service.user.as_deref(), service.working_dir.as_deref()),
        (Some("1000:1000"), Some("/srv"))
    );
    assert_eq!(
        (service.hostname.as_deref(), service.stop_signal.as_deref()),
        (Some("web"), Some("SIGQUIT"))
    );
    assert!(service.read_only && !service.privileged);
    assert_eq!(
        (service.cap_add, service.cap_drop),
        (vec!["NET_ADMIN".to_owned()], vec!["ALL".to_owned()])
    );
    assert_eq!(
        (service.restart, service.stop_grace_seconds),
        (Restart::OnFailure(Some(3)), 60)
    );
}

#[test]
fn what_is_not_said_gets_the_default_of_compose() {
    let service = service("command:\nenvironment:\nports: []\n").unwrap();
    assert_eq!(
        (service.command, service.entrypoint, service.restart),
        (None, None, Restart::No)
    );
    assert_eq!(
        (
            service.stop_grace_seconds,
            service.ports.len(),
            service.environment.len()
        ),
        (10, 0, 0)
    );
}

#[test]
fn the_environment_holds_what_is_named_and_nothing_else() {
    let map = service(
        "environment:\n  HOST:\n  UNKNOWN:\n  URL: https://$HOST/\n  N: 1\n  NONE: $UNKNOWN\n",
    )
    .unwrap();
    assert_eq!(
        environment(&map),
        [
            ("HOST", "registry.example:5000"),
            ("N", "1"),
            ("NONE", ""),
            ("URL", "https://registry.example:5000/")
        ]
    );
    let list = service("environment: [HOST, UNKNOWN, \"A=b=$PORT\", EMPTY=]\n").unwrap();
    assert_eq!(
        environment(&list),
        [
            ("A", "b=8080"),
            ("EMPTY", ""),
            ("HOST", "registry.example:5000")
        ]
    );
    let file = service("env_file: ./web.env\nenvironment: {FROM_FILE: own}\n").unwrap();
    assert_eq!(
        environment(&file),
        [
            ("AGAIN", "file!"),
            ("BOTH", "$HOST"),
            ("FROM_FILE", "own"),
            ("GREETING", "hunter2"),
            ("QUOTED", "a registry.example:5000 $x"),
        ]
    );
    assert!(
        service("env_file: [{path: none.env, required: false}]\n")
            .unwrap()
            .environment
            .is_empty()
    );
    assert!(!format!("{file:?}").contains("hunter2"));
}

#[test]
fn a_value_with_yaml_in_it_stays_one_value() {
    let variables = [(
        "EVIL".to_owned(),
        SecretString::from("x\"\n    privileged: true\n    command: [\"evil\"]"),
    )]
    .into();
    let compose = format!(
        "services:\n  web:\n    image: {IMAGE}\n    hostname: a\n    environment:\n      A: \"${{EVIL}}\"\n"
    );
    let workload = read(archive(&compose), &variables, &[]).unwrap();
    assert!(!workload.services[0].privileged && workload.services[0].command.is_none());
    assert!(
        workload.services[0].environment["A"]
            .expose_secret()
            .contains("privileged: true")
    );
}

/// Lines of a service, the place of what is wrong with them, and the cause.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "build: .",
        ":4:5 at services.web.build",
        "`build` is not supported",
    ),
    (
        "healthcheck: {test: x}",
        ":4:5 at services.web.healthcheck",
        "not supported",
    ),
    (
        "network_mode: host",
        ":4:5 at services.web.network_mode",
        "not supported",
    ),
    ("pid: host", ":4:5 at services.web.pid", "not supported"),
    (
        "devices: [/dev/vda]",
        ":4:5 at services.web.devices",
        "not supported",
    ),
    ("init: true", ":4:5 at services.web.init", "not supported"),
    (
        "comand:",
        ":4:5 at services.web.comand",
        "`comand` is not known",
    ),
    (
        "comand: hunter2",
        ":4:5 at services.web.comand",
        "`comand` is not known",
    ),
    (
        "privileged: hunter2",
        ":4:17 at services.web.privileged",
        "true or false",
    ),
    (
        "command: \"open 'hunter2\"",
        ":4:14 at services.web.command",
        "quote",
    ),
    (
        "ports: [\"80\"]",
        ":4:13 at services.web.ports[0]",
        "no port of the guest",
    ),
    (
        "ports: [8080]",
        ":4:13 at services.web.ports[0]",
        "no port of the guest",
    ),
    (
        "ports: [{target: 80}]",
        ":4:13 at services.web.ports[0]",
        "missing",
    ),
    (
        "ports: [{target: 80, published: 80, x: 1}]",
        ":4:41 at services.web.ports[0].x",
        "not known",
    ),
    (
        "environment: {A: true}",
        ":4:22 at services.web.environment.A",
        "true or false",
    ),
    (
        "environment: {A: 1.10}",
        ":4:22 at services.web.environment.A",
        "a number",
    ),
    (
        "environment: {A: \"${A:?hunter2}\"}",
        ":4:22 at services.web.environment.A",
        "variable A is required",
    ),
    (
        "environment: [\"=hunter2\"]",
        ":4:19 at services.web.environment[0]",
        "no name",
    ),
    (
        "env_file: none.env",
        ":4:15 at services.web.env_file",
        "no such file",
    ),
    (
        "env_file: bad.env",
        ":4:15 at services.web.env_file",
        "line 1 of the env file: a quote is not closed",
    ),
    (
        "env_file: ../web.env",
        ":4:15 at services.web.env_file",
        "upwards",
    ),
    (
        "cap_add: [EVERYTHING]",
        ":4:15 at services.web.cap_add[0]",
        "no capability",
    ),
    (
        "restart: hunter2",
        ":4:14 at services.web.restart",
        "no restart policy",
    ),
    (
        "tmpfs: [\"/run:size=1g\"]",
        ":4:13 at services.web.tmpfs[0]",
        "options",
    ),
    (
        "depends_on: [db]",
        ":4:18 at services.web.depends_on[0]",
        "does not exist",
    ),
    ("depends_on: [web]", ":2:3 at services", "circle: web"),
    (
        "depends_on: {web: {condition: service_healthy}}",
        ":4:35 at services.web.depends_on.web.condition",
        "only the start",
    ),
];

#[test]
fn what_is_not_understood_is_refused_with_key_line_and_column() {
    for (lines, place, cause) in REFUSED {
        let findings = service(lines).unwrap_err();
        let finding = &findings[0];
        assert_eq!(
            finding.place.to_string(),
            format!("docker-compose.yaml{place}"),
            "{lines}"
        );
        assert!(finding.cause.contains(cause), "{lines}: {finding}");
        assert_eq!(finding.code, messages::IMAGE_PARSE_COMPOSE);
        assert!(!finding.to_string().contains("hunter2"), "{finding}");
    }
}

#[test]
fn no_mount_leads_to_the_appliance() {
    for source in [
        "/",
        "/dev",
        "/etc",
        "/proc/1",
        "/run",
        "/mnt",
        "/mnt/database",
        "/mnt/data/../..",
        "/mnt/data/../../etc",
        "/var",
        "/var/hyperprotect/..",
        "/dev/mapper/data",
        "~/x",
        "../x",
        "./../x",
        "named",
        "./none",
        "conf",
        ".hidden",
        "$EMPTY/etc",
    ] {
        assert!(
            service(&format!("volumes: [\"{source}:/x\"]")).is_err(),
            "{source}"
        );
        let long = format!("volumes: [{{type: bind, source: \"{source}\", target: /x}}]");
        assert!(service(&long).is_err(), "{source}");
    }
    for lines in [
        "volumes: [/data]",
        "volumes: [\"/mnt/data:/x:shared\"]",
        "volumes: [\"/mnt/data:/x:ro:rw\"]",
        "volumes: [{type: volume, source: data, target: /x}]",
        "volumes: [{type: tmpfs, target: /x, tmpfs: {size: 1}}]",
        "volumes: [{type: bind, target: /x}]",
        "volumes: [\"/mnt/data:/x\", \"/mnt/data:/y/../x\"]",
        "volumes: [\"/mnt/data:/x\", \"./conf:/x/\"]",
        "volumes: [\"/mnt/data:/\"]",
        "volumes: [\"/mnt/data:/proc/sys\"]",
        "volumes: [\"/mnt/data:/sys\"]",
        "volumes: [\"/mnt/data:/dev\"]",
        "volumes: [\"/mnt/data:relative\"]",
    ] {
        assert!(service(lines).is_err(), "{lines}");
    }
}

#[test]
fn the_attestation_record_is_read_only_whatever_is_asked() {
    let service = service("volumes: [\"/var/hyperprotect/se-checksums.txt:/x:rw\"]").unwrap();
    assert!(matches!(
        &service.mounts[0],
        Mount::Bind {
            read_only: true,
            ..
        }
    ));
}

#[test]
fn an_image_without_digest_is_refused_under_its_own_code() {
    for image in [
        "nginx",
        "nginx:1.27",
        "$HOST/web:latest",
        "nginx@sha256:abc",
    ] {
        let findings =
            read_text(&format!("services:\n  front:\n    image: {image}\n")).unwrap_err();
        assert_eq!(findings[0].code, messages::IMAGE_MISMATCH);
        assert_eq!(findings[0].code.to_string(), "HPL06010E");
        assert!(findings[0].cause.contains("front"), "{}", findings[0]);
        assert_eq!(
            findings[0].place.to_string(),
            "docker-compose.yaml:3:12 at services.front.image"
        );
    }
    let dynamic = IMAGE.replace("registry.example:5000", "${HOST}");
    let workload = read_text(&format!("services:\n  front:\n    image: {dynamic}\n")).unwrap();
    assert_eq!(workload.services[0].image.to_string(), IMAGE);
}

#[test]
fn services_start_after_those_that_they_depend_on() {
    let compose = |web: &str, db: &str| {
        format!(
            "version: '3'\nname: shop\nx-a: 1\nnetworks: {{}}\nservices:\n  web:\n    image: {IMAGE}\n    depends_on: {web}\n  \
             cache:\n    image: {IMAGE}\n  db:\n    image: {IMAGE}\n    depends_on: {db}\n"
        )
    };
    let names = |workload: Workload| {
        workload
            .services
            .into_iter()
            .map(|service| service.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(read_text(&compose("[db]", "[cache]")).unwrap()),
        ["cache", "db", "web"]
    );
    let mapping = "{db: {condition: service_started, required: true}}";
    assert_eq!(
        names(read_text(&compose(mapping, "[]")).unwrap()),
        ["cache", "db", "web"]
    );
    let findings = read_text(&compose("[db]", "[web]")).unwrap_err();
    assert!(
        findings[0].cause.ends_with("circle: web, db"),
        "{}",
        findings[0]
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let findings = read_text(&format!(
        "volumes: {{data: }}\nservices:\n  web:\n    image: nginx\n  db:\n    image: {IMAGE}\n    build: .\n    ports: [a]\n  ../x:\n    image: {IMAGE}\n"
    ))
    .unwrap_err();
    let lines: Vec<_> = findings
        .iter()
        .filter_map(|finding| finding.place.line)
        .collect();
    assert_eq!(lines, [1, 4, 7, 8, 9]);
}

#[test]
fn a_file_without_services_is_refused() {
    for compose in [
        "",
        "services:\n",
        "services: {}\n",
        "services: []\n",
        "- a\n",
        "services:\n  web: nginx\n",
        "include: [x]\n",
    ] {
        assert!(read_text(compose).is_err(), "{compose}");
    }
}

#[test]
fn a_port_of_the_guest_is_published_once() {
    let two = |one: &str, other: &str| {
        read_text(&format!(
            "services:\n  a:\n    image: {IMAGE}\n    ports: [\"{one}\"]\n  b:\n    image: {IMAGE}\n    ports: [\"{other}\"]\n"
        ))
    };
    assert!(two("80:80", "81:80").is_ok());
    assert!(two("80:80", "80:80/udp").is_ok());
    assert!(two("127.0.0.1:80:80", "127.0.0.2:80:80").is_ok());
    assert!(two("80:80", "80:81").is_err());
    assert!(two("0.0.0.0:80:80", "127.0.0.1:80:80").is_err());
    assert!(two("78-82:78-82", "80:80").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_compose_file_makes_it_panic(
        lines in proptest::collection::vec("( {0,6}(services|web|image|ports|volumes|command|environment|depends_on|env_file|tmpfs)?:? ?[-a-z0-9:/.$\\{\\}\\[\\]\"']{0,12})", 0..12),
    ) {
        let _ = read_text(&lines.join("\n"));
    }
}
