#![allow(clippy::unwrap_used)]

use super::*;
use crate::finding::Level;
use crate::plan::{File, Restart};
use crate::secret::SecretString;
use crate::workload::interpolation::Variables;
use proptest::prelude::*;

mod depends;
mod environment;
mod files;
mod keys;
mod mounts;
mod network;
mod refused;

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
            .map(|(path, text)| (path.to_owned(), File::plain(text.as_bytes().to_vec())))
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
    read_with(compose, &variables())
}

fn read_with(compose: &str, variables: &Variables) -> Result<Workload, Vec<Finding>> {
    let given = Given {
        variables,
        is_open: false,
        volumes: &["/mnt/data".to_owned()],
        signed: &["registry.example:5000/signed".to_owned()],
    };
    let (workload, findings) = read(archive(compose), &given, &Place::default());
    // What holds the file is another's to tell.
    workload.ok_or_else(|| {
        let bare = |mut finding: Finding| {
            finding.place.outer = None;
            finding
        };
        findings
            .into_iter()
            .filter(Finding::stops)
            .map(bare)
            .collect()
    })
}

/// One service with these further lines.
fn service(lines: &str) -> Result<Service, Vec<Finding>> {
    let lines: Vec<_> = lines.lines().map(|line| format!("    {line}\n")).collect();
    let lines = lines.concat();
    read_text(&format!("services:\n  web:\n    image: {IMAGE}\n{lines}"))
        .map(|mut workload| workload.services.remove(0))
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
    for image in ["registry.example:5000/signed", "$HOST/signed:1.2"] {
        let findings = read_text(&format!("services:\n  a:\n    image: {image}\n")).unwrap_err();
        assert_eq!(findings[0].level, Level::Limit, "{}", findings[0]);
    }
    let dynamic = IMAGE.replace("registry.example:5000", "${HOST}");
    let workload = read_text(&format!("services:\n  front:\n    image: {dynamic}\n")).unwrap();
    assert_eq!(workload.services[0].image.to_string(), IMAGE);
}

#[test]
fn anchors_aliases_and_merge_keys_save_authors_from_repeating_themselves() {
    let compose = format!(
        "x-default: &default\n  image: {IMAGE}\n  restart: always\n  environment: &env {{A: one}}\nservices:\n  web:\n    <<: *default\n    restart: \"no\"\n    environment: {{<<: *env, B: two}}\n  db:\n    <<: [*default]\n    environment: *env\n"
    );
    let workload = read_text(&compose).unwrap();
    let told: Vec<_> = workload
        .services
        .iter()
        .map(|service| {
            (
                service.name.as_str(),
                service.restart,
                service.environment.len(),
            )
        })
        .collect();
    assert_eq!(told, [("web", Restart::No, 2), ("db", Restart::Always, 1)]);
    let wrong = read_text(&compose.replace("restart: always", "restart: hunter2")).unwrap_err();
    assert_eq!(
        wrong[0].place.to_string(),
        "docker-compose.yaml:3:12 at services.db.restart"
    );
}

#[test]
fn no_bomb_can_be_built_of_aliases() {
    let level = |number: usize| {
        let alias = format!("*a{}", number - 1);
        format!("x-{number}: &a{number} [{}]\n", vec![alias; 10].join(", "))
    };
    let bomb: String = (1..9).map(level).collect();
    let big = "y".repeat(1 << 20);
    let many: Vec<_> = (0..10_000)
        .map(|number| format!("x-{number}: &a{number} 1\n"))
        .collect();
    for bomb in [
        format!("x-0: &a0 [lol]\n{bomb}"),
        format!("x-0: &a0 {big}\nx-1: [{}]\n", vec!["*a0"; 100].join(", ")),
        format!("x-0: &a0 [{}]\n", ["*a0"; 3].join(", ")),
        many.concat(),
    ] {
        let begun = std::time::Instant::now();
        let findings =
            read_text(&format!("{bomb}services:\n  web:\n    image: {IMAGE}\n")).unwrap_err();
        assert_eq!(findings.len(), 1);
        // Far from a second where nothing else runs, and far from what a bomb would take where much does.
        assert!(begun.elapsed().as_secs() < 10);
    }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_compose_file_makes_it_panic(
        lines in proptest::collection::vec("( {0,6}(services|web|image|ports|volumes|command|environment|depends_on|env_file|tmpfs)?:? ?[-a-z0-9:/.$\\{\\}\\[\\]\"']{0,12})", 0..12),
    ) {
        let _ = read_text(&lines.join("\n"));
    }
}
