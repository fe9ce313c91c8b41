//! Files of the user, read no further than they are taken.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A file; one that is larger than the limit is an error.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        let why = format!("it is larger than {} KiB", limit >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(content)
}
