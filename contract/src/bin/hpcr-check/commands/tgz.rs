//! `hpcr-check tgz`: a folder as the archive that `compose.archive` and `play.archive` hold.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use clap::Args;
use hpcr_contract::tgz::Members;

use crate::failure::Failure;
use crate::output::{self, Output, Readers};
use crate::report::Report;
use crate::{Verdict, input};

/// Make the archive of a folder: base64 of a reproducible tar.gz
///
/// The same folder gives the same bytes on every machine: members are sorted, without owners and times. Only folders
/// and regular files may be in it, as the guest takes no others; its size is bounded as the guest bounds it. --out lies
/// outside of the folder: what is written there would be packed the next time.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder, with docker-compose.yaml or Pods at its top
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the archive.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    if output
        .path()
        .is_some_and(|path| is_within(path, &arguments.folder))
    {
        return Err(Failure::Usage(
            "--out lies in the folder that is packed; name a file outside of it",
        ));
    }
    let mut members = Members::default();
    collect(&arguments.folder, "", &mut members)?;
    let name = input::name(&arguments.folder);
    match members.pack(&name) {
        Ok(archive) => output.write((archive + "\n").as_bytes(), Readers::Anyone)?,
        Err(finding) => return Ok(Report::refuse(&name, vec![finding])),
    }
    if !members.describe_a_workload() {
        output::message(
            "hpcr-check: warning: no YAML file is at the top of the folder: it holds neither a compose file nor Pods",
        );
    }
    Ok(Verdict::Good)
}

/// Whether a file lies below a folder, or would.
fn is_within(path: &Path, folder: &Path) -> bool {
    let below = fs::canonicalize(output::folder_of(path)).ok();
    let both = below.zip(fs::canonicalize(folder).ok());
    both.is_some_and(|(below, folder)| below.starts_with(folder))
}

/// Everything below a folder; `prefix` is the path so far, with a slash at its end.
fn collect(folder: &Path, prefix: &str, members: &mut Members) -> Result<(), Failure> {
    let unreadable = |path: &Path, source| Failure::Read {
        path: path.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        let entry = entry.map_err(|source| unreadable(folder, source))?;
        let path = entry.path();
        let refused = |why| Failure::Member {
            path: path.clone(),
            why,
        };
        let name = entry.file_name();
        let inner = format!(
            "{prefix}{}",
            name.to_str()
                .ok_or_else(|| refused("its name is not UTF-8"))?
        );
        // Of the entry itself: what a link leads to may lie anywhere.
        let metadata = entry
            .metadata()
            .map_err(|source| unreadable(&path, source))?;
        if metadata.is_dir() {
            members.folder(&inner);
            collect(&path, &format!("{inner}/"), members)?;
        } else if metadata.is_file() {
            members.file(
                &inner,
                input::member(&path)?.to_vec(),
                is_executable(&metadata),
            );
        } else {
            return Err(refused("it is neither a folder nor a regular file"));
        }
        if members.is_too_much() {
            break;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}
