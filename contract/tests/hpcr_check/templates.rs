//! `new`: the templates say what is to be filled in, and are good otherwise.

use crate::desk::Desk;

#[test]
fn every_finding_of_a_template_is_at_a_place_to_fill_in() {
    let desk = Desk::new();
    for (arguments, check) in [
        (&["new"][..], &["-"][..]),
        (&["new", "workload"], &["--section", "workload", "-"]),
        (&["new", "deployer"], &["--section", "env", "-"]),
    ] {
        let template = desk.hpcr(arguments).out;
        let lines: Vec<&str> = template.lines().collect();
        let report = desk.hpcr_with(
            &[check, &["--format", "json"]].concat(),
            template.as_bytes(),
        );
        assert_eq!(report.status, 1, "{arguments:?}");
        let report = report.json();
        let findings = report["findings"].as_array().unwrap();
        assert!(!findings.is_empty());
        // That secrets stand in the clear is as it should be where a contract is being written.
        for finding in findings.iter().filter(|one| one["severity"] != "note") {
            let line = usize::try_from(finding["line"].as_u64().unwrap()).unwrap();
            assert!(
                lines[line - 1].contains("FILL-IN"),
                "{arguments:?}: {finding}"
            );
        }
    }
}

#[test]
fn a_template_that_is_filled_in_is_valid() {
    let desk = Desk::new();
    let (seed, archive) = (
        "a-seed-of-twenty-one",
        desk.workload
            .lines()
            .nth(2)
            .unwrap()
            .replace("  archive: ", ""),
    );
    let pem = |name: &str| crate::desk::base64(&desk.read(name));
    let fill = |line: &str| {
        let value = match line.trim().split(':').next().unwrap() {
            "seed" => seed.to_owned(),
            "archive" => archive.clone(),
            "server" | "cert" => pem("signer.crt"),
            "key" => pem("signer.key"),
            _ => "puller".to_owned(),
        };
        let extra = if line.contains("REGISTRY:") {
            format!(
                "\n{}PASSWORD: x",
                &line[..line.len() - line.trim_start().len()]
            )
        } else {
            String::new()
        };
        if line.trim_start().starts_with('#') {
            format!("{line}\n")
        } else {
            format!("{}{extra}\n", line.replace("FILL-IN", &value))
        }
    };
    let contract: String = desk.hpcr(&["new"]).out.lines().map(fill).collect();
    let contract = contract.replacen(seed, "another-seed-of-ours", 1);
    let ran = desk.validate(&contract.replace("LOG_LEVEL", "GREETING"), &[]);
    let verdict = "\ncontract.yaml: valid, and not signed; 2 notes\n";
    assert!(ran.status == 0 && ran.out.ends_with(verdict), "{ran:?}");
}

#[test]
fn the_auditor_is_told_every_step() {
    let desk = Desk::new();
    let ran = desk.hpcr(&["new", "auditor"]);
    for step in [
        "hpcr-check keygen",
        "attestationPublicKey: |",
        "hpcr-check attestation verify",
    ] {
        assert!(ran.out.contains(step), "{step}");
    }
    assert_eq!(desk.hpcr(&["new", "landlord"]).status, 2);
}
