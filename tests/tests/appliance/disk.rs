//! The data volume.

use rig::disk;

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
