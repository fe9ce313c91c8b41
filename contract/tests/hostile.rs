//! Contracts that someone made to hurt: a mebibyte of each kind takes less than a second of processor time and less than
//! 256 MiB of memory, and ends in a verdict. The kernel holds the limits (setrlimit(2), through `prlimit` of util-linux).
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const MIB: usize = 1 << 20;
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ENV: &str = "env: {type: env, logging: {syslog: {hostname: logs.example, server: Q0E=}}}\n";

/// The verdict on a contract within the limits.
fn check(contract: &[u8]) -> Output {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(contract).unwrap();
    Command::new("prlimit")
        .args(["--cpu=1", &format!("--data={}", 256 * MIB), "--"])
        .args([env!("CARGO_BIN_EXE_hpcr-check"), "validate"])
        .arg(file.path())
        .output()
        .unwrap()
}

fn is_refused(kind: &str, contract: &[u8]) {
    let output = check(contract);
    let told = String::from_utf8_lossy(&output.stdout);
    let last = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{kind}: {:?} {last}",
        output.status
    );
    assert!(told.contains("HPL"), "{kind}: {told}");
    assert!(
        output.stdout.len() < MIB,
        "{kind}: {} bytes are told",
        output.stdout.len()
    );
}

/// Some text again and again, up to a mebibyte.
fn filled(piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        text.push_str(&piece(number));
        if text.len() >= MIB {
            break;
        }
    }
    text
}

#[test]
fn an_envelope_that_was_made_to_hurt_is_refused_within_limits() {
    let nine = |name: char| vec![format!("*{name}"); 9].join(",");
    let aliases = ('a'..='y').zip('b'..='z').fold(
        String::from("a: &a [x,x,x,x,x,x,x,x,x]\n"),
        |mut text, (below, name)| {
            let _ = writeln!(text, "{name}: &{name} [{}]", nine(below));
            text
        },
    );
    let cases = [
        ("brackets", "[".repeat(MIB)),
        ("braces", "{a: ".repeat(MIB / 4)),
        (
            "indents",
            (0..1400)
                .map(|depth| format!("{}a:\n", " ".repeat(depth)))
                .collect::<Vec<_>>()
                .concat(),
        ),
        ("keys", filled(|number| format!("key{number}: 1\n"))),
        ("the same key", filled(|_| "env: a\n".into())),
        ("documents", filled(|_| "---\na: b\n".into())),
        ("aliases of aliases", aliases),
        (
            "aliases of one",
            format!("a: &a {{b: c}}\nenv: [{}]\n", "*a,".repeat(MIB / 3)),
        ),
        ("quotes", "\"".repeat(MIB)),
        (
            "backslashes",
            format!("env: \"{}\"\n", "\\\\".repeat(MIB / 2)),
        ),
        ("tags", filled(|_| "!!a ".into())),
        ("comments", filled(|_| "#\n".into())),
        ("a long line", "a".repeat(MIB)),
        (
            "dots",
            format!("workload: hyper-protect-basic{}\nenv: a\n", ".".repeat(MIB)),
        ),
    ];
    for (kind, contract) in cases {
        is_refused(kind, contract.as_bytes());
    }
    is_refused("NULs", &vec![0; MIB]);
    is_refused("no UTF-8", &vec![0xff; MIB]);
}

#[test]
fn a_section_that_was_made_to_hurt_is_refused_within_limits() {
    let workload = "workload: {type: workload, compose: {archive: H4sIAAAA}}\n";
    let cases = [
        (
            "names of variables",
            filled(|number| format!("    1{number}: a\n")),
        ),
        (
            "numbers for text",
            filled(|number| format!("    A{number}: 1\n")),
        ),
    ];
    for (kind, entries) in cases {
        let env = ENV.trim_end().trim_end_matches('}');
        let contract = format!("{workload}env:\n  type: env\n  env:\n{entries}");
        is_refused(kind, contract.as_bytes());
        let flow = entries
            .replace('\n', ",")
            .replace(' ', "")
            .replace(':', ": ");
        is_refused(
            kind,
            format!("{workload}{env}, env: {{{flow}}}}}\n").as_bytes(),
        );
    }
    let volumes = filled(|number| format!("    v{number}: {{seed: short}}\n"));
    let contract = format!("{workload}env:\n  type: env\n  volumes:\n{volumes}");
    is_refused("volumes", contract.as_bytes());
    let authorities = filled(|number| format!("      a{number}: YWJj\n"));
    let contract = format!("{workload}env:\n  type: env\n  cacerts:\n    -\n{authorities}");
    is_refused("authorities", contract.as_bytes());
    let unknown = filled(|number| format!("key{number}: 1\n"));
    let contract = format!("workload: {{type: workload}}\n{ENV}{unknown}");
    is_refused("unknown keys", contract.as_bytes());
}

/// A contract with these files in its archive.
fn with_archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let mut tar = tar::Builder::new(gzip);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    let archive = STANDARD.encode(tar.into_inner().unwrap().finish().unwrap());
    format!("workload: {{type: workload, compose: {{archive: {archive}}}}}\n{ENV}").into_bytes()
}

#[test]
fn an_archive_that_was_made_to_hurt_is_refused_within_limits() {
    let good = format!("services: {{a: {{image: r.example/a@{DIGEST}}}}}\n");
    let bomb = vec![0; 900 * MIB];
    is_refused(
        "zeros",
        &with_archive(&[("docker-compose.yaml", good.as_bytes()), ("zeros", &bomb)]),
    );
    drop(bomb);
    let names: Vec<String> = (0..60_000).map(|number| format!("d/{number}")).collect();
    let many: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), b"".as_slice()))
        .collect();
    is_refused("files", &with_archive(&many));
    let deep = "d/".repeat(2000) + "f";
    is_refused(
        "folders",
        &with_archive(&[("docker-compose.yaml", good.as_bytes()), (&deep, b"")]),
    );
}

#[test]
fn a_compose_file_that_was_made_to_hurt_is_refused_within_limits() {
    let service = format!("{{image: r.example/a@{DIGEST}");
    let nine = |name: char| vec![format!("*{name}"); 9].join(",");
    let aliases = ('a'..='y').zip('b'..='z').fold(
        String::from("x-a: &a [x,x,x,x,x,x,x,x,x]\n"),
        |mut text, (below, name)| {
            let _ = writeln!(text, "x-{name}: &{name} [{}]", nine(below));
            text
        },
    );
    let cases = [
        (
            "services",
            format!(
                "services:\n{}",
                filled(|number| format!("  s{number}: {service}}}\n"))
            ),
        ),
        (
            "keys",
            format!(
                "services:\n  a:\n{}",
                filled(|number| format!("    k{number}: 1\n"))
            ),
        ),
        (
            "ports",
            format!(
                "services: {{a: {service}, ports: [{}]}}}}\n",
                "\"1-65535:1-65535\",".repeat(MIB / 18)
            ),
        ),
        (
            "ranges of ports",
            format!(
                "services: {{a: {service}, ports: [{}]}}}}\n",
                "\"1-1024:1-1024\",".repeat(MIB / 16)
            ),
        ),
        (
            "addresses of one port",
            format!(
                "services: {{a: {service}, ports: [{}]}}}}\n",
                filled(|number| format!(
                    "\"127.{}.{}.{}:80:80\",",
                    number >> 16,
                    number >> 8 & 255,
                    number & 255
                ))
            ),
        ),
        (
            "defaults of defaults",
            format!(
                "services: {{a: {service}, command: \"{}\"}}}}\n",
                "${A:-".repeat(MIB / 5)
            ),
        ),
        (
            "dollars",
            format!(
                "services: {{a: {service}, command: \"{}\"}}}}\n",
                "$".repeat(MIB - 1)
            ),
        ),
        (
            "missing variables",
            format!(
                "services: {{a: {service}, command: [{}]}}}}\n",
                "\"${A?}\",".repeat(MIB / 9)
            ),
        ),
        (
            "dependencies",
            format!(
                "services: {{a: {service}, depends_on: [{}]}}}}\n",
                filled(|number| format!("s{number},"))
            ),
        ),
        (
            "aliases of aliases",
            format!("{aliases}services: {{a: {service}}}}}\n"),
        ),
        (
            "merges of merges",
            format!(
                "x-a: &a {{b: c}}\nservices: {{a: {{<<: [{}]}}}}\n",
                "*a,".repeat(MIB / 3)
            ),
        ),
    ];
    for (kind, compose) in cases {
        is_refused(
            kind,
            &with_archive(&[("docker-compose.yaml", compose.as_bytes())]),
        );
    }
}

#[test]
fn a_crowd_of_variables_and_mounts_is_judged_within_limits() {
    let half = |line: &dyn Fn(usize) -> String| (0..12_000).map(line).collect::<Vec<_>>().concat();
    let compose = format!(
        "services:\n  a:\n    image: r.example/a@{DIGEST}\n    imaeg: x\n    environment:\n{}    tmpfs:\n{}    - /mnt/data\n",
        half(&|number| format!("      A{number}: /mnt/data/{number}\n")),
        half(&|number| format!("    - /run/{number}\n")),
    );
    let contract = with_archive(&[("docker-compose.yaml", compose.as_bytes())]);
    let contract = String::from_utf8(contract).unwrap().replace(
        "compose:",
        "volumes: {d: {seed: 0123456789abcdef}}, compose:",
    );
    let contract = contract.replace(
        "server: Q0E=}}",
        "server: Q0E=}}, volumes: {d: {seed: fedcba9876543210}}",
    );
    is_refused("variables and mounts", contract.as_bytes());
}

#[test]
fn a_crowd_of_empty_variables_in_every_container_is_refused_within_limits() {
    let name = |number: usize| -> String {
        let letters: Vec<char> = ('a'..='z').collect();
        let letter = |place: u32| letters[number / 26_usize.pow(place) % 26];
        (0..4).map(letter).collect()
    };
    let services: Vec<_> = (0..64)
        .map(|number| format!("  s{number}: {{image: r.example/a@{DIGEST}, env_file: a.env}}\n"))
        .collect();
    let compose = format!("services:\n{}", services.concat());
    for lines in [170_000, 120_000] {
        let file: String = (0..lines).map(|number| name(number) + "=\n").collect();
        let files = [
            ("docker-compose.yaml", compose.as_bytes()),
            ("a.env", file.as_bytes()),
        ];
        is_refused("lines of an env file", &with_archive(&files));
    }
    let data: Vec<_> = (0..45_000).map(|number| name(number) + ": \"\"").collect();
    let containers: Vec<_> = (0..64)
        .map(|number| {
            format!("{{name: c{number}, image: r.example/a@{DIGEST}, envFrom: [{{configMapRef: {{name: m}}}}]}}")
        })
        .collect();
    let contract = format!(
        "workload: {{type: workload, play: {{resources: [{{apiVersion: v1, kind: ConfigMap, metadata: {{name: m}}, data: {{{}}}}}, {{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{}]}}}}]}}}}\n{ENV}",
        data.join(", "),
        containers.join(", ")
    );
    is_refused("values of a ConfigMap", contract.as_bytes());
}
