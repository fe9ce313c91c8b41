#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::{Condition, Role};

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

fn two(db: &str, condition: &str) -> Result<Workload, Vec<Finding>> {
    read_text(&format!(
        "services:\n  web:\n    image: {IMAGE}\n    depends_on: {{db: {condition}}}\n  db:\n    image: {IMAGE}\n    {db}\n"
    ))
}

#[test]
fn what_is_waited_for_reaches_the_plan() {
    for (db, condition, expected, role) in [
        ("restart: always", "{}", Condition::Started, Role::Main),
        (
            "healthcheck: {test: x}",
            "{condition: service_healthy, restart: true}",
            Condition::Healthy,
            Role::Main,
        ),
        (
            "restart: \"no\"",
            "{condition: service_completed_successfully}",
            Condition::Completed,
            Role::Init,
        ),
    ] {
        let workload = two(db, condition).unwrap();
        let names: Vec<_> = workload
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        assert_eq!(names, ["db", "web"]);
        assert_eq!(workload.services[0].role, role);
        assert_eq!(workload.services[1].depends_on[0].condition, expected);
    }
}

#[test]
fn a_restart_by_a_command_of_compose_asks_for_nothing() {
    let read = |restart: &str| two("", &format!("{{condition: service_started{restart}}}"));
    let services = |read: Result<Workload, Vec<Finding>>| format!("{:?}", read.unwrap().services);
    assert_eq!(services(read(", restart: true")), services(read("")));
    let findings = read(", restart: hunter2").unwrap_err();
    let told = findings[0].to_string();
    assert!(told.contains("services.web.depends_on.db.restart") && !told.contains("hunter2"));
}

#[test]
fn what_cannot_happen_is_not_waited_for() {
    for (db, condition, place, cause) in [
        (
            "",
            "{condition: service_healthy}",
            "4:22 at services.web.depends_on.db",
            "no health check",
        ),
        (
            "healthcheck: {disable: true}",
            "{condition: service_healthy}",
            "4:22 at services.web.depends_on.db",
            "no health check",
        ),
        (
            "restart: always",
            "{condition: service_completed_successfully}",
            "4:22 at services.web.depends_on.db",
            "always started again",
        ),
        (
            "",
            "{condition: hunter2}",
            "4:34 at services.web.depends_on.db.condition",
            "no condition",
        ),
        (
            "",
            "{after: x}",
            "4:23 at services.web.depends_on.db.after",
            "`after` is not known",
        ),
    ] {
        let findings = two(db, condition).unwrap_err();
        let told = findings[0].to_string();
        assert!(told.contains(place) && told.contains(cause), "{told}");
        assert!(!told.contains("hunter2"));
    }
}

#[test]
fn services_of_profiles_that_are_not_active_do_not_run() {
    let compose = format!(
        "services:\n  web:\n    image: {IMAGE}\n    depends_on: {{debug: {{required: false}}}}\n  debug:\n    image: {IMAGE}\n    profiles: [debug, test]\n"
    );
    let names = |profiles: &str| {
        let variables = [("COMPOSE_PROFILES".to_owned(), SecretString::from(profiles))].into();
        let workload = read_with(&compose, &variables).unwrap();
        workload
            .services
            .iter()
            .map(|service| (service.name.clone(), service.depends_on.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), [("web".to_owned(), 0)]);
    assert_eq!(names("other"), [("web".to_owned(), 0)]);
    for active in ["test", "a, debug", "*"] {
        assert_eq!(
            names(active),
            [("debug".to_owned(), 0), ("web".to_owned(), 1)]
        );
    }
    let required = compose.replace("required: false", "required: true");
    assert!(
        read_text(&required).unwrap_err()[0]
            .cause
            .contains("profile")
    );
}
