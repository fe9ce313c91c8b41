//! Folders as archives. What is read is bounded as the guest bounds it; `hpcr_contract::tgz` packs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path as FilePath;

use hpcr_contract::tgz::Members;

use crate::diagnostic::{Diagnostic, Stage, sentence};
use crate::files;
use crate::value::path::Path;

/// The largest file that is read: what the guest unpacks of a whole archive.
const MAX_FILE: u64 = 64 << 20;

/// The archive of a folder: base64 in one line. `place` is the attribute that names it.
pub(crate) fn pack(folder: &str, place: Path) -> Result<String, Diagnostic> {
    let mut members = Members::default();
    collect(FilePath::new(folder), "", &mut members, &place)?;
    members.pack(folder).map_err(|finding| {
        let summary = format!("{}: {}", finding.code, finding.cause);
        Diagnostic::error(place, &summary, sentence(&finding.remedy))
    })
}

/// That there is no such folder. One that is not there yet may be by the time of `apply`.
pub(crate) fn missing(folder: &str, place: Path) -> Option<Diagnostic> {
    let path = FilePath::new(folder);
    if path.exists() && !path.is_dir() {
        let summary = "This is no folder";
        let detail = format!("{folder} is a file. Name the folder that holds it.");
        return Some(Diagnostic::error(place, summary, detail));
    }
    (!path.is_dir()).then(|| {
        let detail = format!(
            "There is no folder {folder}. A relative name is taken from the folder that Terraform runs in; write \"${{path.module}}/…\" for one beside the configuration."
        );
        Diagnostic::error(place, "The folder is not there", detail).since(Stage::Apply)
    })
}

/// Everything below a folder; `prefix` is the path so far, with a slash at its end.
fn collect(
    folder: &FilePath,
    prefix: &str,
    members: &mut Members,
    place: &Path,
) -> Result<(), Diagnostic> {
    let unreadable = |path: &FilePath, error: &dyn std::fmt::Display| {
        let detail = format!("{}: {error}.", path.display());
        Diagnostic::error(
            place.clone(),
            "A part of the folder cannot be taken",
            detail,
        )
    };
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(unreadable(&path, &"its name is not UTF-8; give it another"));
        };
        let inner = format!("{prefix}{name}");
        // Of the entry itself: what a link leads to may lie anywhere.
        let metadata = entry
            .metadata()
            .map_err(|error| unreadable(&path, &error))?;
        if metadata.is_dir() {
            members.folder(&inner);
            collect(&path, &format!("{inner}/"), members, place)?;
        } else if metadata.is_file() {
            let content =
                files::read(&path, MAX_FILE).map_err(|error| unreadable(&path, &error))?;
            let is_executable = metadata.permissions().mode() & 0o100 != 0;
            members.file(&inner, content, is_executable);
        } else {
            let why = "it is neither a folder nor a regular file; take it out";
            return Err(unreadable(&path, &why));
        }
        if members.is_too_much() {
            break;
        }
    }
    Ok(())
}
