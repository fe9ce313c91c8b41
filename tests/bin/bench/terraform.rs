//! How long Terraform takes to plan and apply a hundred contracts with our provider: against the published openssl recipe
//! for the same sections (as small as contracts are: Terraform writes its whole state after each resource), and, without what Terraform itself takes, against the work that nobody can spare.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use rig::{
    Error, Result,
    certificates::{Authority, Identity},
    command, recipe,
    report::Row,
    terraform::{self, Project},
};
use serde_json::json;

use crate::sections::{
    env_section, floor, library, milliseconds, public_key, read, script, signing_key, workload,
    write,
};

const AREA: &str = "terraform";
const RUNS: usize = 3;
const CONTRACTS: usize = 100;

/// All rows of the area; none where there is no Terraform.
pub(crate) fn rows() -> Result<Vec<Row>> {
    if !terraform::is_here() {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
    Desk::new(folder.path())?.measure()
}

/// A hundred contracts as files, and who seals and signs them.
struct Desk<'a> {
    folder: &'a Path,
    image: Identity,
    signer: Identity,
    workload: PathBuf,
    envs: Vec<PathBuf>,
}

impl<'a> Desk<'a> {
    fn new(folder: &'a Path) -> Result<Self> {
        let image = recipe::receiver(folder, "image")?;
        let signer = recipe::receiver(folder, "signer")?;
        let signing_key = signing_key(&public_key(&signer)?);
        let authority = Authority::new(folder, "collector")?;
        let env = env_section(0, &read(authority.certificate())?, &signing_key);
        let section = workload(0)?;
        let workload = write(folder, "workload.yaml", &section)?;
        let envs = (0..CONTRACTS)
            .map(|number| {
                let env = env.replace("FILLING:", &format!("NUMBER: n{number}"));
                let contract = format!("workload:\n{}env:\n{}", nested(&section), nested(&env));
                write(folder, &format!("contract-{number}.yaml"), &contract)?;
                write(folder, &format!("env-{number}.yaml"), &env)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            folder,
            image,
            signer,
            workload,
            envs,
        })
    }

    fn measure(&self) -> Result<Vec<Row>> {
        let contract = "file(\"${var.folder}/contract-${count.index}.yaml\")";
        let sealed = format!(
            "resource \"hpcr_contract_encrypted\" \"one\" {{\n  count = {CONTRACTS}\n  contract = {contract}\n  \
             cert = file(var.cert)\n  privkey = file(var.privkey)\n}}\n"
        );
        // What Terraform takes by itself for a hundred resources that make its state as large: an input stands there twice, a
        // contract with its sealed form, which is twice as large, and with the key and the certificate.
        let plain = format!(
            "resource \"terraform_data\" \"one\" {{\n  count = {CONTRACTS}\n  \
             input = sensitive(join(\"\", [{contract}, substr({contract}, 0, floor(length({contract}) / 2)), \
             substr(file(var.privkey), 0, 1600), substr(file(var.cert), 0, 900)]))\n}}\n"
        );
        let floor = floor(&self.image)?;
        let (mut ours, mut own, mut theirs, mut least) = (vec![], vec![], vec![], vec![]);
        for _ in 0..RUNS {
            let whole = self.planned_and_applied(&sealed)?;
            ours.push(whole);
            own.push(whole - self.planned_and_applied(&plain)?);
            theirs.push(self.by_recipe()?);
            let work = floor.seal_and_sign_all(CONTRACTS);
            least.push(milliseconds(work.map_err(|error| library(&error))?));
        }
        let whole = format!("plan and apply {CONTRACTS} contracts");
        let share =
            format!("the same, without what Terraform takes for {CONTRACTS} resources of its own");
        Ok(vec![
            Row::alone(AREA, &whole, "ms", &ours).beside("openssl recipe", &theirs),
            Row::alone(AREA, &share, "ms", &own)
                .beside("RSA-4096 and PBKDF2 alone, two processors", &least),
        ])
    }

    /// A configuration of its own, planned and applied; milliseconds.
    fn planned_and_applied(&self, resource: &str) -> Result<f64> {
        let folder = tempfile::tempdir_in(self.folder).map_err(Error::io("making a folder"))?;
        let variables = ["folder", "cert", "privkey"]
            .map(|name| format!("variable \"{name}\" {{}}\n"))
            .concat();
        let project = Project::of_text(folder.path(), &(variables + resource))?;
        project.set(&json!({
            "folder": self.folder,
            "cert": self.image.certificate,
            "privkey": self.signer.key,
        }))?;
        let begun = Instant::now();
        project.plan_and_apply()?;
        Ok(milliseconds(begun.elapsed()))
    }

    /// The recipe, one contract after the other; milliseconds.
    fn by_recipe(&self) -> Result<f64> {
        let begun = Instant::now();
        for env in &self.envs {
            let mut seal = script("seal.sh");
            seal.arg(&self.image.certificate)
                .arg(&self.signer.key)
                .args([&self.workload, env]);
            command::run(&mut seal, b"")?;
        }
        Ok(milliseconds(begun.elapsed()))
    }
}

fn nested(section: &str) -> String {
    section
        .lines()
        .map(|line| ["  ", line, "\n"].concat())
        .collect()
}
