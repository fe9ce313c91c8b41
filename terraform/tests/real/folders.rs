//! Folders that are read at each plan, and may be written by another resource of the same apply.

use crate::desk::{Desk, text};
use crate::keys::file;

/// A folder that the apply makes before its archive, with a second file in it.
fn generated(second: &str) -> String {
    format!(
        r#"
resource "terraform_data" "app" {{
  triggers_replace = "{second}"
  provisioner "local-exec" {{
    command = "mkdir -p made && echo 'services: {{}}' > made/docker-compose.yaml && echo {second} > made/second"
  }}
}}
resource "hpcr_tgz" "it" {{
  folder     = "made"
  depends_on = [terraform_data.app]
}}
resource "hpcr_tgz_encrypted" "it" {{
  folder     = "made"
  cert       = file("{cert}")
  depends_on = [terraform_data.app]
}}
output "all" {{
  value = [hpcr_tgz.it, hpcr_tgz_encrypted.it]
}}
"#,
        cert = file("image.crt").display()
    )
}

#[test]
fn a_folder_that_the_same_apply_makes_is_packed_once_it_is_there() {
    let Some(desk) = Desk::new() else { return };
    desk.configure(&generated("one"));
    let told = desk.validate();
    assert!(!told.iter().any(|one| one.line.is_some()), "{told:?}");
    let told = desk.plan();
    assert!(
        told.iter()
            .any(|one| !one.is_error && one.words().contains("There is no folder made")),
        "{told:?}"
    );
    desk.apply();
    assert!(!desk.would_change(), "a second plan is not empty");
    let first = desk.output("all");

    // In a fresh checkout the folder is to be made again.
    std::fs::remove_dir_all(desk.path("made")).unwrap();
    assert!(desk.would_change());
    desk.does(&[
        "apply",
        "-auto-approve",
        "-no-color",
        "-replace=terraform_data.app",
    ]);
    assert_eq!(
        first[0],
        desk.output("all")[0],
        "another archive of the same"
    );
    assert!(!desk.would_change());
}

#[test]
fn a_file_that_the_apply_adds_to_a_folder_that_is_there_breaks_no_plan() {
    let Some(desk) = Desk::new() else { return };
    desk.write("made/docker-compose.yaml", "services: {}\n");
    desk.configure(&generated("one"));
    desk.apply();
    let first = desk.output("all");
    assert!(!desk.would_change());

    // Its archive is planned as what it is before the apply, which is no change; the next plan sees the change.
    desk.configure(&generated("two"));
    desk.apply();
    assert!(desk.would_change(), "a changed file does not show");
    desk.apply();
    assert_ne!(first[0]["rendered"], desk.output("all")[0]["rendered"]);
    assert!(!desk.would_change());
}

#[test]
fn a_folder_that_is_missing_at_the_end_is_an_error_at_its_attribute() {
    let Some(desk) = Desk::new() else { return };
    let sealed = format!("cert = file(\"{}\")", file("image.crt").display());
    for (kind, name, more) in [
        ("hpcr_tgz", "missing", ""),
        ("hpcr_tgz_encrypted", "missing", sealed.as_str()),
    ] {
        desk.configure(&format!(
            "resource \"{kind}\" \"it\" {{\n  folder = \"{name}\"\n  {more}\n}}\n"
        ));
        let failed = desk.run(&["apply", "-auto-approve", "-no-color"]);
        let told = text(&failed.stderr);
        assert!(!failed.status.success());
        assert!(
            told.contains("The folder is not there") && told.contains("path.module"),
            "{told}"
        );
    }
}
