//! How long `hpcr-check` takes, whole process: against the published openssl recipe, and against the floor, which is the
//! RSA-4096 and PBKDF2 work that no program can do without.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use openssl::error::ErrorStack;
use rig::{
    Error, Result,
    certificates::{Authority, Identity},
    command, place, recipe,
    report::Row,
};

use crate::sections::{
    SECTION, env_section, floor, library, milliseconds, public_key, read, script, signing_key,
    timed, workload, write,
};

const AREA: &str = "contract";
const RUNS: usize = 21;
/// What a plain contract holds where the cost of its size is measured.
const SIZES: [(&str, usize); 5] = [
    ("1 KiB", 1 << 10),
    ("10 KiB", 10 << 10),
    ("100 KiB", 100 << 10),
    ("1 MiB", 1 << 20),
    ("10 MiB", 10 << 20),
];

/// All rows of the area.
pub(crate) fn rows() -> Result<Vec<Row>> {
    let folder = tempfile::tempdir().map_err(Error::io("making a folder"))?;
    let desk = Desk::new(folder.path())?;
    let mut rows = desk.sealing()?;
    rows.extend(desk.opening()?);
    rows.extend(desk.sizes()?);
    Ok(rows)
}

/// What the measured commands work on.
struct Desk<'a> {
    folder: &'a Path,
    /// The image's key pair.
    image: Identity,
    /// The key that signs, and its public half.
    signer: Identity,
    workload: PathBuf,
    env: PathBuf,
    /// The env section without a signing key.
    unsigned: String,
    /// Both sections in one contract in the clear.
    contract: PathBuf,
}

impl<'a> Desk<'a> {
    fn new(folder: &'a Path) -> Result<Self> {
        let image = recipe::receiver(folder, "image")?;
        let signer = recipe::receiver(folder, "signer")?;
        let public = public_key(&signer)?;
        fs::write(&signer.certificate, &public).map_err(Error::io("writing a public key"))?;
        let authority = Authority::new(folder, "collector")?;
        let workload = write(folder, "workload.yaml", &workload(SECTION)?)?;
        let authority = read(authority.certificate())?;
        let unsigned = env_section(SECTION, &authority, "");
        let env = write(
            folder,
            "env.yaml",
            &env_section(SECTION, &authority, &signing_key(&public)),
        )?;
        let contract = in_the_clear(&read(&workload)?, &unsigned);
        let contract = write(folder, "contract.yaml", &contract)?;
        Ok(Self {
            folder,
            image,
            signer,
            workload,
            env,
            unsigned,
            contract,
        })
    }

    /// Sealing both sections and signing the contract.
    fn sealing(&self) -> Result<Vec<Row>> {
        let mut ours = Command::new(place::program("hpcr-check"));
        ours.args(["encrypt", "--contract", "--cert"])
            .arg(&self.image.certificate)
            .arg("--sign-key")
            .arg(&self.signer.key)
            .arg(&self.contract);
        let mut theirs = script("seal.sh");
        theirs
            .arg(&self.image.certificate)
            .arg(&self.signer.key)
            .args([&self.workload, &self.env]);
        let floor = floor(&self.image)?;
        compare("seal and sign", &mut ours, &mut theirs, || {
            floor.seal_and_sign()
        })
    }

    /// Opening both sections, verifying the signature, and on our side validating and planning as well.
    fn opening(&self) -> Result<Vec<Row>> {
        let mut seal = script("seal.sh");
        seal.arg(&self.image.certificate)
            .arg(&self.signer.key)
            .args([&self.workload, &self.env]);
        let sealed = self.folder.join("sealed.yaml");
        fs::write(&sealed, command::run(&mut seal, b"")?)
            .map_err(Error::io("writing a contract"))?;
        let mut ours = validate(&sealed);
        ours.arg("--key").arg(&self.image.key);
        let mut theirs = script("open.sh");
        theirs
            .args([&self.image.key, &self.signer.certificate])
            .arg(&sealed);
        let floor = floor(&self.image)?;
        compare("open, verify and validate", &mut ours, &mut theirs, || {
            floor.open()
        })
    }

    /// Validating contracts in the clear of growing size.
    fn sizes(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (name, size) in SIZES {
            let contract = in_the_clear(&workload(size)?, &self.unsigned);
            let path = write(self.folder, "plain.yaml", &contract)?;
            let mut ours = validate(&path);
            let times = (0..RUNS)
                .map(|_| timed(&mut ours))
                .collect::<Result<Vec<_>>>()?;
            rows.push(Row::alone(
                AREA,
                &format!("validate in the clear, {name}"),
                "ms",
                &times,
            ));
        }
        if let [.., tenth, last] = &rows[..] {
            let grown = Row::alone(AREA, "validate in the clear, growth", "ms", &[last.ours]);
            rows.push(grown.beside("ten times 1 MiB", &[10.0 * tenth.ours]));
        }
        Ok(rows)
    }
}

/// Ours against the recipe and against the floor, in turns.
fn compare(
    case: &str,
    ours: &mut Command,
    theirs: &mut Command,
    floor: impl Fn() -> std::result::Result<Duration, ErrorStack>,
) -> Result<Vec<Row>> {
    let (mut our, mut their, mut least) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        our.push(timed(ours)?);
        their.push(timed(theirs)?);
        least.push(milliseconds(floor().map_err(|error| library(&error))?));
    }
    let row = || Row::alone(AREA, case, "ms", &our);
    Ok(vec![
        row().beside("openssl recipe", &their),
        row().beside("RSA-4096 and PBKDF2 alone, two processors", &least),
    ])
}

fn validate(contract: &Path) -> Command {
    let mut command = Command::new(place::program("hpcr-check"));
    command.arg("validate").arg(contract);
    command
}

fn in_the_clear(workload: &str, env: &str) -> String {
    let block = |text: &str| {
        text.lines()
            .fold(String::new(), |block, line| block + "  " + line + "\n")
    };
    format!("workload: |\n{}env: |\n{}", block(workload), block(env))
}
