//! What must stop it. Each case ends in power-off within 30 s, with its code, its cause and no secret on the console.

use rig::{
    Result,
    certificates::Authority,
    collector,
    contract::{Draft, Sealed},
    guest::Appliance,
    namespace, recipe,
    registry::Registry,
    world::World,
};

use crate::common::{appliance, in_a_world, refused, seal};

const INVALID_CONTRACT: &str = "HPL11001E";
const SIGNATURE_INVALID: &str = "HPL12001E";
const SYSLOG_FAILED: &str = "HPL01011E";
const IMAGE_MISMATCH: &str = "HPL06010E";

#[test]
fn without_a_seed_disk_it_stops() {
    in_a_world(|world| {
        let appliance = Appliance::new(world.scratch(), None)?;
        stopped(world, &appliance, INVALID_CONTRACT, &["cidata"])
    });
}

#[test]
fn two_seed_disks_stop_it() {
    in_a_world(|world| {
        let user_data = seal(&world.draft())?.user_data();
        let mut appliance = Appliance::new(world.scratch(), Some(&user_data))?;
        appliance.second_seed(&user_data)?;
        let cause = ["more than one", "cidata"];
        stopped(world, &appliance, INVALID_CONTRACT, &cause)
    });
}

#[test]
fn a_token_under_another_key_stops_it() {
    in_a_world(|world| {
        let sealed = with_a_token_under_another_key(world)?;
        stopped_by(world, &sealed, INVALID_CONTRACT, "workload")
    });
}

#[test]
fn a_flipped_byte_in_a_token_stops_it() {
    in_a_world(|world| {
        let sealed = with_a_flipped_byte(world)?;
        stopped_by(world, &sealed, INVALID_CONTRACT, "env")
    });
}

#[test]
fn a_wrong_signature_stops_it() {
    in_a_world(|world| {
        let sealed = with_a_wrong_signature(world)?;
        stopped_by(world, &sealed, SIGNATURE_INVALID, "envWorkloadSignature")
    });
}

/// The console of a production image is no oracle: what is wrong with a sealed contract cannot be told from it.
#[test]
fn a_production_image_tells_one_text_whatever_is_wrong_with_a_sealed_contract() {
    in_a_world(|world| {
        let contracts = [
            with_a_token_under_another_key(world)?,
            with_a_flipped_byte(world)?,
            with_a_wrong_signature(world)?,
        ];
        let mut told = Vec::new();
        for (number, sealed) in contracts.iter().enumerate() {
            let folder = namespace::folder(&format!("production-{number}"))?;
            let mut appliance = Appliance::new(&folder, Some(&sealed.user_data()))?;
            appliance.say_production()?;
            let console = refused(world, &world.draft(), &appliance, INVALID_CONTRACT, &[])?;
            assert!(console.contains("production image"), "{console}");
            told.push(messages(&console));
        }
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0], told[2]);
        Ok(())
    });
}

#[test]
fn a_collector_of_another_authority_stops_it() {
    in_a_world(|world| {
        let mut draft = world.draft();
        let elsewhere = Authority::new(world.scratch(), "elsewhere")?;
        draft.collector_authority = elsewhere.certificate().into();
        stopped_before_a_line_is_sent(world, &draft)
    });
}

#[test]
fn a_collector_that_refuses_the_client_certificate_stops_it() {
    in_a_world(|world| {
        let mut draft = world.draft();
        let elsewhere = Authority::new(world.scratch(), "elsewhere")?;
        draft.client = elsewhere.issue(collector::GUEST, &[])?;
        stopped_before_a_line_is_sent(world, &draft)
    });
}

#[test]
fn an_image_without_a_digest_stops_it() {
    in_a_world(|world| {
        let mut draft = world.draft();
        draft.image = format!("{}/demo/web:latest", Registry::host());
        stopped_by(world, &seal(&draft)?, IMAGE_MISMATCH, "digest")
    });
}

#[test]
fn a_registry_that_answers_the_digest_of_a_layer_with_other_bytes_stops_it() {
    in_a_world(|world| stopped_by_other_bytes_for(world, &world.image.layers[1].digest));
}

#[test]
fn a_registry_that_answers_the_digest_of_the_image_with_another_manifest_stops_it() {
    in_a_world(|world| stopped_by_other_bytes_for(world, &world.image.manifest.digest));
}

fn with_a_token_under_another_key(world: &World) -> Result<Sealed> {
    let other = recipe::receiver(world.scratch(), "other")?;
    let mut sealed = seal(&world.draft())?;
    sealed.workload = recipe::seal(world.draft().workload()?.as_bytes(), &other.certificate)?;
    sealed.signature = recipe::sign(&world.draft().signing_key, &sealed.workload, &sealed.env)?;
    Ok(sealed)
}

fn with_a_flipped_byte(world: &World) -> Result<Sealed> {
    let mut sealed = seal(&world.draft())?;
    sealed.env = recipe::flip(&sealed.env)?;
    sealed.signature = recipe::sign(&world.draft().signing_key, &sealed.workload, &sealed.env)?;
    Ok(sealed)
}

fn with_a_wrong_signature(world: &World) -> Result<Sealed> {
    let stranger = world.scratch().join("stranger.key");
    recipe::signing_key(&stranger)?;
    let mut sealed = seal(&world.draft())?;
    sealed.signature = recipe::sign(&stranger, &sealed.workload, &sealed.env)?;
    Ok(sealed)
}

/// What a console tells people, without the times.
fn messages(console: &str) -> Vec<String> {
    console
        .lines()
        .filter_map(|line| Some(line[line.find("HPL")?..].to_owned()))
        .collect()
}

/// This appliance stops, and tells none of the secrets of the world's draft.
fn stopped(world: &World, appliance: &Appliance, code: &str, cause: &[&str]) -> Result<()> {
    refused(world, &world.draft(), appliance, code, cause).map(drop)
}

/// An appliance with this contract stops.
fn stopped_by(world: &World, sealed: &Sealed, code: &str, cause: &str) -> Result<()> {
    let appliance = Appliance::new(world.scratch(), Some(&sealed.user_data()))?;
    stopped(world, &appliance, code, &[cause])
}

/// An appliance with this draft stops at its collector, which has not had a line of it.
fn stopped_before_a_line_is_sent(world: &World, draft: &Draft) -> Result<()> {
    let appliance = appliance(world, draft)?;
    refused(world, draft, &appliance, SYSLOG_FAILED, &["collector.test"])?;
    assert_eq!(world.collector.received()?, "");
    Ok(())
}

/// An appliance stops whose registry answers `digest` with other bytes.
fn stopped_by_other_bytes_for(world: &World, digest: &str) -> Result<()> {
    world.registry.tamper(digest)?;
    stopped_by(world, &seal(&world.draft())?, IMAGE_MISMATCH, digest)
}
