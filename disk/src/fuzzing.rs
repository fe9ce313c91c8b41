//! Doors to private parsers for the fuzz targets of `tests/fuzz`: never compiled otherwise.

/// Parses a LUKS2 header.
pub fn luks_header(bytes: &[u8]) {
    let _ = crate::luks::header::parse(bytes);
}
