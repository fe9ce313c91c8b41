//! The seed disk: an ISO 9660 image labelled `cidata` with the contract, as cloud-init's NoCloud source has it.
//!
//! Bytes in, bytes out: no clock, no tool, no file, so that `hpcr-image` and the Terraform provider make the same image on
//! any system, and the same files always make the same bytes. It never looks into what it packs.

mod iso9660;

use zeroize::Zeroizing;

use crate::error::ContractError;

/// The volume label that the guest looks for.
const LABEL: &str = "cidata";
/// The largest image that the guest reads, in bytes.
const MAX_IMAGE: usize = 32 << 20;
/// What the guest is called where nobody says.
const DEFAULT_META_DATA: &[u8] = b"local-hostname: hpcr\n";

/// What goes onto the disk.
#[derive(Clone, Copy, Default)]
pub struct Seed<'a> {
    /// The contract.
    pub user_data: &'a [u8],
    /// `local-hostname: ...`; a fixed one is written if there is none.
    pub meta_data: Option<&'a [u8]>,
    /// Passed on, never interpreted by the guest.
    pub vendor_data: Option<&'a [u8]>,
    /// Addresses, routes, name servers; DHCP if there is none.
    pub network_config: Option<&'a [u8]>,
}

impl Seed<'_> {
    /// The image. It may hold secrets in the clear, so its buffer wipes itself.
    ///
    /// # Errors
    /// Where it would be larger than the 32 MiB that the guest reads.
    pub fn to_iso(&self) -> Result<Zeroizing<Vec<u8>>, ContractError> {
        let meta_data = self.meta_data.unwrap_or(DEFAULT_META_DATA);
        // In the order of their names: readers may search a folder by halves.
        let files = [
            ("meta-data", Some(meta_data)),
            ("network-config", self.network_config),
            ("user-data", Some(self.user_data)),
            ("vendor-data", self.vendor_data),
        ];
        let files: Vec<_> = files
            .into_iter()
            .filter_map(|(name, content)| Some((name, content?)))
            .collect();
        let content: usize = files.iter().map(|(_, content)| content.len()).sum();
        let size = iso9660::size(&files);
        if content > MAX_IMAGE || size > MAX_IMAGE {
            return Err(ContractError::SeedSize(content));
        }
        Ok(iso9660::image(LABEL, &files, size))
    }
}

#[cfg(test)]
mod tests;
