//! Paths as a contract writes them, in their one normal form. Nothing here follows a link or asks a file system.

/// An absolute path without `.` and doubled slashes; `..` is refused rather than resolved.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn absolute(path: &str) -> Result<String, &'static str> {
    if !path.starts_with('/') {
        return Err("the path is not absolute");
    }
    Ok(format!("/{}", components(path)?.join("/")))
}

/// A relative path in its normal form; empty for the top.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn relative(path: &str) -> Result<String, &'static str> {
    if path.starts_with('/') {
        return Err("the path is not relative");
    }
    Ok(components(path)?.join("/"))
}

/// Whether a normal path is `folder` or lies in it.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder == "/")
}

fn components(path: &str) -> Result<Vec<&str>, &'static str> {
    if path.len() > 1024 {
        return Err("the path is longer than 1024 bytes");
    }
    if path.chars().any(char::is_control) {
        return Err("the path holds a control character");
    }
    let components: Vec<&str> = path
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    if components.contains(&"..") {
        return Err("the path leads upwards (`..`)");
    }
    if components.iter().any(|component| component.len() > 255) {
        return Err("a part of the path is longer than 255 bytes");
    }
    Ok(components)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_get_their_one_form() {
        for (path, expected) in [
            ("/", Ok("/")),
            ("//a/./b//", Ok("/a/b")),
            ("/a/..", Err("the path leads upwards (`..`)")),
            ("a", Err("the path is not absolute")),
            ("", Err("the path is not absolute")),
            ("/a\nb", Err("the path holds a control character")),
        ] {
            assert_eq!(absolute(path), expected.map(str::to_owned), "{path}");
        }
        assert_eq!(relative("./a//b/."), Ok("a/b".to_owned()));
        assert_eq!(relative("."), Ok(String::new()));
        assert!(relative("/a").is_err() && relative("a/../b").is_err());
    }

    #[test]
    fn within_counts_whole_parts() {
        assert!(is_within("/a/b", "/a") && is_within("/a", "/a") && is_within("/a", "/"));
        assert!(!is_within("/ab", "/a") && !is_within("/", "/a"));
    }
}
