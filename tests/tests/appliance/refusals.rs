//! What must stop it. Each case ends in power-off within 30 s, with its code, its cause and no secret on the console.

use rig::{certificates::Authority, collector, guest::Appliance, recipe, registry::Registry};

use crate::common::{appliance, in_a_world, refused, seal};

const INVALID_CONTRACT: &str = "HPL11001E";
const SIGNATURE_INVALID: &str = "HPL12001E";
const SYSLOG_FAILED: &str = "HPL01011E";
const IMAGE_MISMATCH: &str = "HPL06010E";

#[test]
fn without_a_seed_disk_it_stops() {
    in_a_world(|world| {
        let appliance = Appliance::new(world.scratch(), None)?;
        refused(
            world,
            &world.draft(),
            &appliance,
            INVALID_CONTRACT,
            &["cidata"],
        )?;
        Ok(())
    });
}

#[test]
fn two_seed_disks_stop_it() {
    in_a_world(|world| {
        let draft = world.draft();
        let user_data = seal(&draft)?.user_data();
        let mut appliance = Appliance::new(world.scratch(), Some(&user_data))?;
        appliance.second_seed(&user_data)?;
        refused(
            world,
            &draft,
            &appliance,
            INVALID_CONTRACT,
            &["more than one", "cidata"],
        )?;
        Ok(())
    });
}

#[test]
fn a_token_under_another_key_stops_it() {
    in_a_world(|world| {
        let other = recipe::receiver(world.scratch(), "other")?;
        let mut sealed = seal(&world.draft())?;
        sealed.workload = recipe::seal(world.draft().workload()?.as_bytes(), &other.certificate)?;
        sealed.signature = recipe::sign(&world.draft().signing_key, &sealed.workload, &sealed.env)?;
        let appliance = Appliance::new(world.scratch(), Some(&sealed.user_data()))?;
        refused(
            world,
            &world.draft(),
            &appliance,
            INVALID_CONTRACT,
            &["workload"],
        )?;
        Ok(())
    });
}

#[test]
fn a_flipped_byte_in_a_token_stops_it() {
    in_a_world(|world| {
        let mut sealed = seal(&world.draft())?;
        sealed.env = recipe::flip(&sealed.env)?;
        sealed.signature = recipe::sign(&world.draft().signing_key, &sealed.workload, &sealed.env)?;
        let appliance = Appliance::new(world.scratch(), Some(&sealed.user_data()))?;
        refused(
            world,
            &world.draft(),
            &appliance,
            INVALID_CONTRACT,
            &["env"],
        )?;
        Ok(())
    });
}

#[test]
fn a_wrong_signature_stops_it() {
    in_a_world(|world| {
        let stranger = world.scratch().join("stranger.key");
        recipe::signing_key(&stranger)?;
        let mut sealed = seal(&world.draft())?;
        sealed.signature = recipe::sign(&stranger, &sealed.workload, &sealed.env)?;
        let appliance = Appliance::new(world.scratch(), Some(&sealed.user_data()))?;
        refused(
            world,
            &world.draft(),
            &appliance,
            SIGNATURE_INVALID,
            &["envWorkloadSignature"],
        )?;
        Ok(())
    });
}

#[test]
fn a_collector_of_another_authority_stops_it() {
    in_a_world(|world| {
        let mut draft = world.draft();
        draft.collector_authority = Authority::new(world.scratch(), "elsewhere")?
            .certificate()
            .into();
        refused(
            world,
            &draft,
            &appliance(world, &draft)?,
            SYSLOG_FAILED,
            &["collector.test"],
        )?;
        assert_eq!(world.collector.received()?, "");
        Ok(())
    });
}

#[test]
fn a_collector_that_refuses_the_client_certificate_stops_it() {
    in_a_world(|world| {
        let mut draft = world.draft();
        draft.client =
            Authority::new(world.scratch(), "elsewhere")?.issue(collector::GUEST, &[])?;
        refused(
            world,
            &draft,
            &appliance(world, &draft)?,
            SYSLOG_FAILED,
            &["collector.test"],
        )?;
        assert_eq!(world.collector.received()?, "");
        Ok(())
    });
}

#[test]
fn an_image_without_a_digest_stops_it() {
    in_a_world(|world| {
        let mut draft = world.draft();
        draft.image = format!("{}/demo/web:latest", Registry::host());
        refused(
            world,
            &draft,
            &appliance(world, &draft)?,
            IMAGE_MISMATCH,
            &["digest"],
        )?;
        Ok(())
    });
}

#[test]
fn a_registry_that_answers_the_digest_of_a_layer_with_other_bytes_stops_it() {
    in_a_world(|world| {
        world.registry.tamper(&world.image.layers[1].digest)?;
        let draft = world.draft();
        refused(
            world,
            &draft,
            &appliance(world, &draft)?,
            IMAGE_MISMATCH,
            &[&world.image.layers[1].digest],
        )?;
        Ok(())
    });
}

#[test]
fn a_registry_that_answers_the_digest_of_the_image_with_another_manifest_stops_it() {
    in_a_world(|world| {
        world.registry.tamper(&world.image.manifest.digest)?;
        let draft = world.draft();
        refused(
            world,
            &draft,
            &appliance(world, &draft)?,
            IMAGE_MISMATCH,
            &[&world.image.manifest.digest],
        )?;
        Ok(())
    });
}
