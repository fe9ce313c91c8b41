//! Which mounts are left below a folder, from the kernel's table of them (`/proc/self/mountinfo`, see
//! Documentation/filesystems/proc.rst, section 3.5). It only reads.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// Mounts below `folder` but for those at `kept`, the latest first: the order in which they can be taken away.
pub(crate) fn below(table: &str, folder: &Path, kept: &[PathBuf]) -> Vec<PathBuf> {
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let mut found: Vec<_> = points
        .map(unescaped)
        .filter(|point| point.starts_with(folder) && point != folder && !kept.contains(point))
        .collect();
    found.reverse();
    found
}

/// Spaces, tabs, newlines and backslashes stand there as three octal digits: `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 1 0:21 / / rw - tmpfs tmpfs rw
23 22 0:22 / /run/hpcr rw - tmpfs tmpfs rw
24 23 253:0 / /run/hpcr/scratch rw shared:1 - ext4 /dev/mapper/scratch rw
25 24 0:40 / /run/hpcr/scratch/store/web rw - overlay overlay rw
26 23 0:4 net:[4026532300] /run/hpcr/containers/netns/web rw - nsfs nsfs rw
27 22 253:1 / /mnt/data rw - ext4 /dev/mapper/data rw
28 23 253:1 /a /run/hpcr/containers/binds/a\\040b rw - ext4 /dev/mapper/data rw
29 22 0:50 / /run/hpcr-other rw - tmpfs tmpfs rw
";

    #[test]
    fn what_is_below_a_folder_is_found_the_latest_first_but_for_what_is_kept() {
        let kept = [PathBuf::from("/run/hpcr/scratch")];
        let found = below(TABLE, Path::new("/run/hpcr"), &kept);
        let expected = [
            "/run/hpcr/containers/binds/a b",
            "/run/hpcr/containers/netns/web",
            "/run/hpcr/scratch/store/web",
        ];
        assert_eq!(found, expected.map(PathBuf::from));
    }
}
