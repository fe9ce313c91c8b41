#![allow(clippy::unwrap_used)]
use super::*;
use crate::tgz::Members;

const COMPOSE: &str = "services:\n  web:\n    image: nginx\n    environment: {PASSWORD: hunter2}\n    command: [run, hunter2]\n";

fn contract(compose: &str, seed: &str, mount: &str) -> String {
    let mut members = Members::default();
    members.file("docker-compose.yaml", compose.as_bytes().to_vec(), false);
    members.file("key.bin", b"hunter2".to_vec(), false);
    let archive = members.pack("x").unwrap();
    format!(
        "env: |\n  type: env\n  env: {{TOKEN: hunter2, type: hunter2}}\nworkload:\n  type: workload\n  compose: {{archive: {archive}}}\n  \
         volumes: {{data: {{seed: {seed}, mount: {mount}}}}}\nattestationPublicKey: hunter2\n"
    )
}

fn contents(text: &str) -> Contents {
    Contents::read(text.as_bytes(), "contract.yaml", Keys::default()).unwrap()
}

#[test]
fn the_tree_shows_archives_and_no_value_that_may_be_secret() {
    let contents = contents(&contract(COMPOSE, "hunter2", "/mnt/data"));
    let tree = contents.redacted();
    assert!(!tree.to_string().contains("hunter2"), "{tree}");
    assert_eq!(tree["env"]["type"], "env");
    assert_eq!(tree["env"]["env"], json!({"TOKEN": HIDDEN, "type": HIDDEN}));
    assert_eq!(
        tree["workload"]["volumes"]["data"],
        json!({"seed": HIDDEN, "mount": "/mnt/data"})
    );
    let files = &tree["workload"]["compose"]["archive"];
    assert_eq!(
        files["docker-compose.yaml"]["services"]["web"]["image"],
        "nginx"
    );
    assert_eq!(files["key.bin"]["bytes"], 7);
    let forms: Vec<_> = contents
        .parts()
        .iter()
        .map(|part| (part.name, part.form, part.sealed))
        .collect();
    assert_eq!(
        forms,
        [
            ("workload", "mapping", false),
            ("env", "literal block", false),
            ("attestationPublicKey", "text", false)
        ]
    );
    assert!(!format!("{contents:?}").contains("hunter2"));
    assert!(contents.redacted_yaml().unwrap().contains("image: nginx"));
}

#[test]
fn a_difference_is_told_by_its_path_and_a_secret_one_as_different_only() {
    let one = contents(&contract(COMPOSE, "hunter2", "/mnt/data"));
    assert!(one.changes(&one).is_empty());
    let compose = COMPOSE
        .replace("nginx", "httpd")
        .replace("PASSWORD", "OTHER");
    let other = contents(&contract(&compose, "hunter3", "/mnt/other"));
    let told: Vec<String> = one.changes(&other).iter().map(Change::to_string).collect();
    let file = "workload.compose.archive.docker-compose.yaml.services.web";
    assert_eq!(
        told,
        [
            format!("+ {file}.environment.OTHER: <hidden>"),
            format!("- {file}.environment.PASSWORD: <hidden>"),
            format!("~ {file}.image: nginx -> httpd"),
            "~ workload.volumes.data.mount: /mnt/data -> /mnt/other".to_owned(),
            "~ workload.volumes.data.seed: another value".to_owned(),
        ]
    );
}

#[test]
fn how_a_contract_is_written_makes_no_difference() {
    let one = contents("env: {type: env, env: {A: x}}\nworkload: |\n  type: workload\n");
    let other = contents("workload: {type: workload}\nenv: \"type: env\\nenv:\\n  A: 'x'\\n\"\n");
    assert!(one.changes(&other).is_empty());
}
