//! How long Terraform takes to plan and apply a hundred contracts with our provider, against the published openssl recipe
//! for the same sections: as configurations of the published provider give them, and as new ones do, which keep what is
//! secret out of the state. Terraform writes its whole state after each resource, so contracts are as small as they get.
//! And what the provider itself takes of the processors, against the work that nobody can spare.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rig::{
    Error, Result,
    certificates::{Authority, Identity},
    command, recipe,
    report::Row,
    terraform::{self, APPLY, Project},
};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use rustix::time::{ClockId, clock_gettime};
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
        let published = format!(
            "resource \"hpcr_contract_encrypted\" \"one\" {{\n  count = {CONTRACTS}\n  contract = {contract}\n  \
             cert = file(var.cert)\n  privkey = file(var.privkey)\n}}\n"
        );
        let hidden = format!(
            "provider \"hpcr\" {{\n  cert = file(var.cert)\n}}\n\
             resource \"hpcr_contract_encrypted\" \"one\" {{\n  count = {CONTRACTS}\n  contract_wo = {contract}\n  \
             privkey_wo = file(var.privkey)\n}}\n"
        );
        // As many resources of Terraform's own that make its state as large: an input stands there twice, a contract is
        // twice as large when it is sealed.
        let plain = |input: &str| {
            format!(
                "resource \"terraform_data\" \"one\" {{\n  count = {CONTRACTS}\n  input = sensitive({input})\n}}\n"
            )
        };
        let as_moved = plain(&format!(
            "join(\"\", [{contract}, file(var.cert), file(var.privkey)])"
        ));
        let as_hidden = plain(contract);
        let floor = floor(&self.image)?;
        let (mut moved, mut moved_alone) = (vec![], vec![]);
        let (mut ours, mut own, mut alone) = (vec![], vec![], vec![]);
        let (mut theirs, mut least) = (vec![], vec![]);
        for _ in 0..RUNS {
            moved.push(self.applied(&published)?.whole);
            moved_alone.push(self.applied(&as_moved)?.whole);
            let taken = self.applied(&hidden)?;
            ours.push(taken.whole);
            own.push(taken.providers);
            alone.push(self.applied(&as_hidden)?.whole);
            theirs.push(self.by_recipe()?);
            let begun = processor_time();
            let work = floor.seal_and_sign_all(CONTRACTS);
            work.map_err(|error| library(&error))?;
            least.push(processor_time() - begun);
        }
        let row = |case: &str, values: &[f64]| Row::alone(AREA, case, "ms", values);
        let case = format!("plan and apply {CONTRACTS} contracts");
        let published = format!("{case}, inputs in the state");
        let hidden = format!("{case}, inputs write-only");
        let share = format!("{hidden}: the provider's processor time");
        let itself = "Terraform alone, resources of its own, as large";
        Ok(vec![
            row(&published, &moved).beside("openssl recipe", &theirs),
            row(&published, &moved).beside(itself, &moved_alone),
            row(&hidden, &ours).beside("openssl recipe", &theirs),
            row(&hidden, &ours).beside(itself, &alone),
            row(&share, &own).beside("RSA-4096 and PBKDF2 alone", &least),
        ])
    }

    /// A configuration of its own, planned and applied.
    fn applied(&self, blocks: &str) -> Result<Taken> {
        let folder = tempfile::tempdir_in(self.folder).map_err(Error::io("making a folder"))?;
        let variables = ["folder", "cert", "privkey"]
            .map(|name| format!("variable \"{name}\" {{}}\n"))
            .concat();
        let project = Project::of_text(folder.path(), &(variables + blocks))?;
        project.set(&json!({
            "folder": self.folder,
            "cert": self.image.certificate,
            "privkey": self.signer.key,
        }))?;
        Taken::by(&project)
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

/// What a run of Terraform took, in milliseconds.
struct Taken {
    whole: f64,
    /// Processor time of the providers that it started, on all processors.
    providers: f64,
}

impl Taken {
    /// Plans and applies. What Terraform says of an error is shown.
    fn by(project: &Project) -> Result<Self> {
        let begun = Instant::now();
        let mut child = project
            .command(&APPLY)
            .stdout(Stdio::null())
            .spawn()
            .map_err(Error::io("starting terraform"))?;
        let id = WaitId::Pid(Pid::from_child(&child));
        // It is looked at between its end and its burial.
        waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .map_err(|error| Error::io("waiting for terraform")(error.into()))?;
        let whole = milliseconds(begun.elapsed());
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id()));
        let status = child.wait().map_err(Error::io("waiting for terraform"))?;
        if !status.success() {
            return Err(Error::Broken(format!("terraform ended with {status}")));
        }
        let stat = stat.map_err(Error::io("reading what terraform took"))?;
        let providers = of_children(&stat).ok_or_else(|| Error::Broken(stat))?;
        Ok(Self { whole, providers })
    }
}

/// User and system time of the children that a process has waited for, from its `/proc/PID/stat` (proc_pid_stat(5), fields
/// 16 and 17, hundredths of a second), in milliseconds.
fn of_children(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(13);
    let mut next = || times.next()?.parse::<f64>().ok();
    Some((next()? + next()?) * 10.0)
}

/// What this process has taken of all processors, in milliseconds.
fn processor_time() -> f64 {
    let taken = clock_gettime(ClockId::ProcessCPUTime);
    milliseconds(Duration::try_from(taken).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_that_of_the_manual() {
        let stat = "7 (a) b) Z 1 7 7 0 -1 4228108 9 30 0 0 11 22 100 5 20 0 1 0 100 0 0";
        assert_eq!(of_children(stat), Some(1050.0));
        assert_eq!(of_children("7 (terraform) Z 1"), None);
    }
}
