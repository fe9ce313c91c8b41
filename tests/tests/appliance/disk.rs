//! The data volume.

use std::{fs::File, os::unix::fs::FileExt as _, path::Path, process::Command};

use rig::{Error, Result, command, disk, world::World};

use crate::common::{appliance, boot, in_a_world, refused, seal, switch_off, visit};

#[test]
fn a_volume_of_other_seeds_is_refused_and_not_one_of_its_bytes_changes() {
    in_a_world(|world| {
        let draft = world.draft();
        let mut appliance = appliance(world, &draft)?;
        let guest = boot(&appliance)?;
        assert!(visit(&guest)?.ends_with("visits: 1\n"));
        switch_off(&guest)?;
        let before = disk::fingerprint(&appliance.data)?;

        let mut stranger = world.draft();
        stranger.env_seed = "another-deployers-seed".into();
        appliance.seed(Some(&seal(&stranger)?.user_data()))?;
        refused(world, &stranger, &appliance, "HPL02003E", &["data"])?;
        assert_eq!(disk::fingerprint(&appliance.data)?, before);

        appliance.seed(Some(&seal(&draft)?.user_data()))?;
        assert!(visit(&boot(&appliance)?)?.ends_with("visits: 2\n"));
        Ok(())
    });
}

#[test]
fn a_disk_with_a_file_system_of_somebody_else_is_refused_and_not_one_of_its_bytes_changes() {
    in_a_world(|world| {
        let foreign = |data: &Path| {
            let mut command = Command::new("mke2fs");
            command.args(["-q", "-t", "ext4"]).arg(data);
            command::run(&mut command, b"").map(drop)
        };
        refused_untouched(world, foreign, "ext4")
    });
}

#[test]
fn a_disk_with_bytes_that_nobody_knows_is_refused_and_not_one_of_them_changes() {
    in_a_world(|world| {
        let foreign = |data: &Path| {
            let write = || {
                let disk = File::options().write(true).open(data)?;
                disk.write_all_at(b"somebody's only copy", 300 << 10)
            };
            write().map_err(Error::io("writing to the disk"))
        };
        refused_untouched(world, foreign, "not zero")
    });
}

/// Boots with a data disk that `fill` has been at.
fn refused_untouched(
    world: &World,
    fill: impl FnOnce(&Path) -> Result<()>,
    cause: &str,
) -> Result<()> {
    let draft = world.draft();
    let appliance = appliance(world, &draft)?;
    fill(&appliance.data)?;
    let before = disk::fingerprint(&appliance.data)?;
    refused(world, &draft, &appliance, "HPL02121E", &["data", cause])?;
    assert_eq!(disk::fingerprint(&appliance.data)?, before);
    Ok(())
}
