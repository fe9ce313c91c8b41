//! Wrong inputs, each told at its attribute: a line of the table is a block, whose line with `#!` the error must be at,
//! and words that the error must have.

use crate::desk::{Desk, Told};
use crate::keys::{self, file};

mod contract;
mod reading;
mod sealing;

/// A block of a configuration, and the words of its error.
pub(crate) type Case = (&'static str, &'static str);

/// What blocks have in common.
const SHORT: [(&str, &str); 7] = [
    (
        "SEALED",
        r#"yamlencode({ workload = "hyper-protect-basic.AAAA.U2FsdGVkX18wMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=", env = { type = "env", logging = { syslog = { hostname = "logs.example", server = FILE(authority.crt) } } } })"#,
    ),
    (
        "TOKENS",
        "workload_yaml = provider::hpcr::encrypt(\"x\", FILE(image.crt))\n  env_yaml = provider::hpcr::encrypt(\"y\", FILE(image.crt))",
    ),
    (
        "AUTHORITY",
        "cacert = FILE(authority.crt)\n  cakey = FILE(authority.key)",
    ),
    (
        "HALF",
        "cert = FILE(image.crt)\n  workload_yaml = provider::hpcr::encrypt(\"x\", FILE(image.crt))\n  env = { logging = { syslog = { hostname = \"logs.example\", server = FILE(authority.crt) } } }",
    ),
    (
        "CLOSED",
        r#"yamlencode({ workload = { type = "workload", compose = ARCHIVE }, env = "hyper-protect-basic.AAAA.U2FsdGVkX18wMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=" })"#,
    ),
    ("APP", "{ compose = ARCHIVE }"),
    ("ARCHIVE", r#"{ archive = provider::hpcr::tgz("app") }"#),
];

/// The configuration that a table makes, with the files that its blocks name.
fn configuration(cases: &[Case]) -> String {
    let mut text = String::new();
    for (number, (block, _)) in cases.iter().enumerate() {
        text.push_str(&block.replace("NAME", &format!("case{number}")));
    }
    for (short, long) in SHORT {
        text = text.replace(short, long);
    }
    let files = [
        "image.crt",
        "ended.crt",
        "short.crt",
        "curve.pub",
        "curve.pem",
        "sign.pem",
        "locked.pem",
        "request.pem",
        "authority.crt",
        "authority.key",
        "image.key",
    ];
    for name in files {
        let quoted = format!("file(\"{}\")", file(name).display());
        text = text.replace(&format!("FILE({name})"), &quoted);
    }
    text
}

/// Every error is at the marked line of its block and says its words, and there is no other.
fn check(cases: &[Case], told: &[Told], desk: &Desk) {
    let text = std::fs::read_to_string(desk.path("main.tf")).unwrap();
    let lines = text.lines().zip(1_u64..);
    let marked: Vec<_> = lines
        .filter(|(line, _)| line.contains("#!"))
        .map(|(_, number)| number)
        .collect();
    assert_eq!(marked.len(), cases.len(), "each block has one mark");
    let mut wrong = Vec::new();
    for ((block, words), line) in cases.iter().zip(&marked) {
        let here = told
            .iter()
            .filter(|one| one.is_error && one.line == Some(*line));
        if !here.clone().any(|one| one.words().contains(words)) {
            let here: Vec<_> = here.map(Told::words).collect();
            wrong.push(format!(
                "line {line} misses {words:?} among {here:?} of{block}"
            ));
        }
    }
    for one in told.iter().filter(|one| one.is_error) {
        if !one.line.is_some_and(|line| marked.contains(&line)) {
            wrong.push(format!("nobody asked for {one:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_inputs_are_told_at_their_attribute_before_anything_is_planned() {
    let Some(desk) = Desk::new() else { return };
    desk.stateless_app();
    desk.write("file", "no folder");
    let cases = [sealing::CASES, contract::CASES, reading::CASES].concat();
    assert!(cases.len() >= 40);
    desk.configure(&configuration(&cases));
    check(&cases, &desk.validate(), &desk);
}

#[test]
fn what_only_a_plan_can_know_is_told_at_its_attribute_too() {
    let Some(desk) = Desk::new() else { return };
    desk.stateless_app();
    desk.write("linked/docker-compose.yaml", "services: {}\n");
    desk.write(&format!("deep/{}", vec!["d"; 40].join("/")), "x");
    std::os::unix::fs::symlink("/etc/passwd", desk.path("linked/link")).unwrap();
    desk.configure(&configuration(reading::PLANNING));
    let told = desk.plan();
    check(reading::PLANNING, &told, &desk);
    let missing = |one: &&Told| one.words().contains("No encryption certificate is given");
    assert_eq!(
        told.iter().filter(missing).count(),
        3,
        "each is told once: {told:?}"
    );
}

#[test]
fn the_provider_itself_is_checked_and_lends_its_certificates() {
    let Some(desk) = Desk::new() else { return };
    let block = "resource \"hpcr_text_encrypted\" \"it\" {\n  text = \"hello\"\n}\noutput \"it\" {\n  value = hpcr_text_encrypted.it.rendered\n}\n";
    desk.configure(&format!(
        "provider \"hpcr\" {{\n  cert = \"nonsense\"\n}}\n{block}"
    ));
    let told = desk.validate();
    assert!(
        told.iter()
            .any(|one| one.is_error && one.line == Some(desk.line("nonsense"))),
        "{told:?}"
    );

    desk.configure(&format!(
        "provider \"hpcr\" {{\n  cert = file(\"{}\")\n}}\n{block}",
        file("image.crt").display()
    ));
    desk.apply();
    assert_eq!(keys::opened(desk.output("it").as_str().unwrap()), "hello");

    let versions = format!(
        "provider \"hpcr\" {{\n  certs = {{ \"1.0.14\" = file(\"{}\") }}\n}}\n",
        file("image.crt").display()
    );
    let block = block.replace("text = \"hello\"", "text = \"hi\"\n  version = \"1.0.14\"");
    desk.configure(&format!("{versions}{block}"));
    desk.apply();
    assert_eq!(keys::opened(desk.output("it").as_str().unwrap()), "hi");

    let block = block.replace("version = \"1.0.14\"", "version = \"1.0.99\"");
    desk.configure(&format!("{versions}{block}"));
    let told: Vec<_> = desk
        .plan()
        .into_iter()
        .filter(|one| one.line.is_some())
        .collect();
    let [told] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(
        told.is_error && told.words().contains("not among `certs`"),
        "{told:?}"
    );
    assert_eq!(told.line, Some(desk.line("1.0.99")));
}

#[test]
fn the_environment_names_the_folder_of_an_image() {
    let Some(desk) = Desk::new() else { return };
    desk.write("image/encryption.crt", keys::read("image.crt"));
    desk.configure("resource \"hpcr_text_encrypted\" \"it\" {\n  text = \"hello\"\n}\noutput \"it\" {\n  value = hpcr_text_encrypted.it.rendered\n}\n");
    let arguments = ["apply", "-auto-approve", "-no-color"];
    let image = desk.path("image");
    let output = desk.run_with(("HPCR_CERT", image.to_str().unwrap()), &arguments);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(keys::opened(desk.output("it").as_str().unwrap()), "hello");
    let told = desk.run_with(
        ("HPCR_CERT", "/nowhere"),
        &["plan", "-replace=hpcr_text_encrypted.it", "-no-color"],
    );
    assert!(
        String::from_utf8_lossy(&told.stderr).contains("HPCR_CERT"),
        "{told:?}"
    );
}
