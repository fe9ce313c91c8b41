//! The shared libraries that a set of ELF programs needs, and those that these need, by `DT_NEEDED`.
//!
//! Where a library lies is the caller's to say; this module only follows names. It runs nothing.

use std::collections::BTreeMap;

use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, SectionIndex};

use crate::{Error, Result};

/// The loader of dynamic programs and the libraries that an ELF file names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// `PT_INTERP`: an absolute path, for dynamic programs.
    pub loader: Option<String>,
    /// `DT_NEEDED`, in order.
    pub libraries: Vec<String>,
}

/// Reads what an ELF file needs; `path` is for the error text.
pub fn needs(path: &str, elf: &[u8]) -> Result<Needs> {
    read_needs(elf).map_err(|source| Error::Elf {
        path: path.to_owned(),
        source,
    })
}

fn read_needs(elf: &[u8]) -> object::read::Result<Needs> {
    let header = FileHeader64::<Endianness>::parse(elf)?;
    let endian = header.endian()?;
    let mut needs = Needs::default();
    for segment in header.program_headers(endian, elf)? {
        if let Some(loader) = segment.interpreter(endian, elf)? {
            needs.loader = Some(text(loader));
        }
    }
    let sections = header.sections(endian, elf)?;
    let (entries, names) = sections
        .dynamic(endian, elf)?
        .unwrap_or((&[], SectionIndex(0)));
    let names = sections.strings(endian, elf, names)?;
    for entry in entries
        .iter()
        .filter(|entry| entry.tag32(endian) == Some(DT_NEEDED))
    {
        needs.libraries.push(text(entry.string(endian, names)?));
    }
    Ok(needs)
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Every library that the programs need, by name, with its content. `programs` are paths in the guest with content;
/// `find` gives the content of a library, if there is one of this name.
pub fn libraries<F>(programs: &[(&str, &[u8])], find: F) -> Result<BTreeMap<String, Vec<u8>>>
where
    F: Fn(&str) -> Result<Option<Vec<u8>>>,
{
    let mut found = BTreeMap::new();
    let mut open: Vec<(String, String)> = Vec::new();
    for (path, elf) in programs {
        open.extend(
            needs(path, elf)?
                .libraries
                .into_iter()
                .map(|soname| (soname, (*path).to_owned())),
        );
    }
    while let Some((soname, needed_by)) = open.pop() {
        if found.contains_key(&soname) {
            continue;
        }
        let Some(elf) = find(&soname)? else {
            return Err(Error::LibraryMissing { soname, needed_by });
        };
        open.extend(
            needs(&soname, &elf)?
                .libraries
                .into_iter()
                .map(|next| (next, soname.clone())),
        );
        found.insert(soname, elf);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn this_program() -> Vec<u8> {
        std::fs::read("/proc/self/exe").unwrap()
    }

    #[test]
    fn a_dynamic_program_names_its_loader_and_the_c_library() {
        let needs = needs("test", &this_program()).unwrap();
        assert!(needs.loader.unwrap().contains("ld-linux"));
        assert!(needs.libraries.iter().any(|name| name == "libc.so.6"));
    }

    #[test]
    fn a_missing_library_is_named_with_who_needs_it() {
        let error = libraries(&[("usr/bin/test", &this_program())], |_| Ok(None)).unwrap_err();
        assert!(
            matches!(error, Error::LibraryMissing { needed_by, .. } if needed_by == "usr/bin/test")
        );
    }

    #[test]
    fn libraries_of_libraries_are_followed_and_circles_end() {
        // Every library is this program again, which needs the same names once more.
        let program = this_program();
        let found = libraries(&[("test", &program)], |_| Ok(Some(program.clone()))).unwrap();
        assert_eq!(
            found.len(),
            needs("test", &program).unwrap().libraries.len()
        );
    }

    proptest! {
        #[test]
        fn damaged_files_are_refused_without_panic(at in 0_usize..4096, byte: u8, keep in 64_usize..8192) {
            let mut elf = this_program();
            elf[at] = byte;
            let _ = needs("test", &elf);
            elf.truncate(keep);
            let _ = needs("test", &elf);
        }
    }
}
