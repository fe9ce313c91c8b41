//! Opens a data volume or the scratch disk the way the appliance does, runs a command while it is open, and closes it:
//! for rescue, and for trying the crate in a guest. It takes the passphrase from standard input, never from its
//! arguments.
//!
//! ```text
//! volume data DISK-SERIAL FOLDER [--never-create] [--require-record] -- COMMAND [ARGUMENT...]  < passphrase
//! volume scratch FOLDER -- COMMAND [ARGUMENT...]
//! ```

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use hpcr_contract::plan::{Create, Filesystem, HeaderRecord, Volume};
use hpcr_contract::secret::SecretString;
use hpcr_disk::{Context, Mounted, open_scratch, open_volumes};

const USAGE: &str = "volume data DISK-SERIAL FOLDER [--never-create] [--require-record] -- COMMAND...  < passphrase\n\
                     volume scratch FOLDER -- COMMAND...";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            println!("volume: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let split = arguments
        .iter()
        .position(|argument| argument == "--")
        .ok_or(USAGE)?;
    let (options, command) = (&arguments[..split], &arguments[split + 1..]);
    let start = Instant::now();
    let mounted = open(options, start)?;
    println!("volume: open after {} ms", start.elapsed().as_millis());
    let (program, arguments) = command.split_first().ok_or(USAGE)?;
    let status = Command::new(program).args(arguments).status()?;
    let start = Instant::now();
    for volume in mounted {
        volume.close()?;
    }
    println!("volume: closed after {} ms", start.elapsed().as_millis());
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn open(options: &[String], start: Instant) -> Result<Vec<Mounted>, Box<dyn Error>> {
    let context = Context {
        wait: Duration::from_secs(10),
        ..Context::default()
    };
    match options.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["scratch", folder] => Ok(open_scratch(&context, Path::new(folder))?
            .into_iter()
            .collect()),
        ["data", disk, folder, ref flags @ ..] => {
            let mut passphrase = String::new();
            std::io::stdin().read_line(&mut passphrase)?;
            let volume = Volume {
                name: "data".to_owned(),
                disk: disk.to_owned(),
                mount: folder.to_owned(),
                filesystem: Filesystem::Ext4,
                passphrase: SecretString::from(passphrase.trim_end()),
                previous_passphrases: Vec::new(),
                create: if flags.contains(&"--never-create") {
                    Create::Never
                } else {
                    Create::IfBlank
                },
                header_record: if flags.contains(&"--require-record") {
                    HeaderRecord::Require
                } else {
                    HeaderRecord::Adopt
                },
            };
            let mut report =
                |event| println!("volume: {} ms: {event}", start.elapsed().as_millis());
            open_volumes(&[volume], &context, &mut report)
                .map_err(|error| format!("{}: {error}", error.code()).into())
        }
        _ => Err(USAGE.into()),
    }
}
