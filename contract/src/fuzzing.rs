//! Doors to private parsers for the fuzz targets of `tests/fuzz`: never compiled otherwise.

use std::io::Write;

use base64::Engine as _;

/// Unpacks a compose archive: `tar` is what stands inside of the gzip and base64 that every archive has.
pub fn compose_archive(tar: &[u8]) {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    if gzip.write_all(tar).is_ok()
        && let Ok(bytes) = gzip.finish()
    {
        let archive = base64::engine::general_purpose::STANDARD.encode(bytes);
        let _ = crate::workload::archive::unpack(&archive);
    }
}
