//! How long `hpcr-check` takes, whole process: against the published openssl recipe, and against the floor, which is the
//! RSA-4096 and PBKDF2 work that no program can do without.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use openssl::error::ErrorStack;
use rig::{
    Error, Result,
    certificates::{Authority, Identity},
    command,
    floor::Floor,
    place, recipe,
    report::Row,
};

const AREA: &str = "contract";
const RUNS: usize = 21;
/// What one section holds where tokens are measured.
const SECTION: usize = 4 << 10;
/// What a plain contract holds where the cost of its size is measured.
const SIZES: [(&str, usize); 5] = [
    ("1 KiB", 1 << 10),
    ("10 KiB", 10 << 10),
    ("100 KiB", 100 << 10),
    ("1 MiB", 1 << 20),
    ("10 MiB", 10 << 20),
];
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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
        let public = command::run(
            Command::new("openssl")
                .args(["x509", "-pubkey", "-noout", "-in"])
                .arg(&signer.certificate),
            b"",
        )?;
        fs::write(&signer.certificate, &public).map_err(Error::io("writing a public key"))?;
        let authority = Authority::new(folder, "collector")?;
        let workload = write(folder, "workload.yaml", &workload(SECTION)?)?;
        let authority = read(authority.certificate())?;
        let unsigned = env_section(&authority, "");
        let signing_key = format!("signingKey: {}\n", BASE64_STANDARD.encode(&public));
        let env = write(folder, "env.yaml", &env_section(&authority, &signing_key))?;
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

fn timed(command: &mut Command) -> Result<f64> {
    let begun = Instant::now();
    command::run(command, b"")?;
    Ok(milliseconds(begun.elapsed()))
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

/// The least that the work can cost with the key of an image.
fn floor(image: &Identity) -> Result<Floor> {
    let pem = fs::read(&image.key).map_err(Error::io("reading a key"))?;
    Floor::new(&pem).map_err(|error| library(&error))
}

fn library(error: &ErrorStack) -> Error {
    Error::Broken(format!("openssl: {error}"))
}

fn validate(contract: &Path) -> Command {
    let mut command = Command::new(place::program("hpcr-check"));
    command.arg("validate").arg(contract);
    command
}

/// One half of the recipe.
fn script(name: &str) -> Command {
    Command::new(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("recipe")
            .join(name),
    )
}

/// A workload section of about this many bytes: a compose archive with bytes that do not compress.
fn workload(size: usize) -> Result<String> {
    let compose = format!("services:\n  web:\n    image: registry.example/web@{DIGEST}\n");
    // What base64 makes of the archive and the lines around it are a third more, and some 400 bytes.
    let filling = size.saturating_sub(400) / 4 * 3;
    let mut random = vec![0; filling];
    openssl::rand::rand_bytes(&mut random).map_err(|error| library(&error))?;
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::default(),
    ));
    for (name, content) in [
        ("docker-compose.yaml", compose.as_bytes()),
        ("filling", &random),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content)
            .map_err(Error::io("making an archive"))?;
    }
    let archive = tar
        .into_inner()
        .and_then(flate2::write::GzEncoder::finish)
        .map_err(Error::io("making an archive"))?;
    Ok(format!(
        "type: workload\ncompose:\n  archive: {}\n",
        BASE64_STANDARD.encode(archive)
    ))
}

/// An env section of [`SECTION`] bytes, filled with a variable; `signing_key` is that line, or nothing.
fn env_section(authority: &str, signing_key: &str) -> String {
    let authority = BASE64_STANDARD.encode(authority);
    let mut section = format!(
        "type: env\nlogging:\n  syslog:\n    hostname: logs.example\n    server: {authority}\n{signing_key}env:\n  FILLING: "
    );
    let missing = SECTION.saturating_sub(section.len() + 1);
    section.extend(std::iter::repeat_n('x', missing));
    section.push('\n');
    section
}

fn in_the_clear(workload: &str, env: &str) -> String {
    let block = |text: &str| {
        text.lines()
            .fold(String::new(), |block, line| block + "  " + line + "\n")
    };
    format!("workload: |\n{}env: |\n{}", block(workload), block(env))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(Error::io(format!("writing {name}")))?;
    Ok(path)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))
}
