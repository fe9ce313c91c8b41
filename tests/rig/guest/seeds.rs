//! The seed disks of an appliance.

use std::{fs, path::PathBuf};

use hpcr_image::{qemu::Disk, seed::Seed};

use super::Appliance;
use crate::{Error, Result};

impl Appliance {
    /// Changes the seed disk.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn seed(&mut self, user_data: Option<&str>) -> Result<()> {
        self.seed = match user_data {
            Some(text) => Some(self.write_seed("seed", text, None)?),
            None => None,
        };
        Ok(())
    }

    /// Changes the seed disk to one that says how the network is set up.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn seed_with_network(&mut self, user_data: &str, network_config: &str) -> Result<()> {
        self.seed = Some(self.write_seed("seed", user_data, Some(network_config))?);
        Ok(())
    }

    /// Adds a second seed disk beside the first.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn second_seed(&mut self, user_data: &str) -> Result<()> {
        let path = self.write_seed("second", user_data, None)?;
        self.further.push(Disk {
            read_only: true,
            ..Disk::new(path, "second")
        });
        Ok(())
    }

    fn write_seed(&self, name: &str, user_data: &str, network: Option<&str>) -> Result<PathBuf> {
        let write = |kind: &str, text: &str| {
            let file = self.folder.join(name).with_extension(kind);
            let written = fs::write(&file, text);
            written
                .map(|()| file)
                .map_err(Error::io(format!("writing the {kind}")))
        };
        let disk = self.folder.join(name).with_extension("iso");
        let network_config = network.map(|text| write("network-config", text));
        Seed {
            user_data: write("user-data", user_data)?,
            network_config: network_config.transpose()?,
            ..Seed::default()
        }
        .write(&disk)?;
        Ok(disk)
    }
}
