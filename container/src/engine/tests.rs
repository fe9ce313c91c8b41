#![allow(clippy::unwrap_used)]

mod in_guest;

use super::*;
use crate::spec::tests::service;
use std::time::Duration;

/// How long all tests with real containers may take, where the guest's processor is an emulated one on a busy machine.
const ALL_WITHIN: Duration = Duration::from_mins(8);

#[test]
fn real_containers_live_and_end_as_their_tests_say() {
    let own = "engine::tests::real_containers_live_and_end_as_their_tests_say";
    rig::own_kernel::run_tests(own, "engine::tests::in_guest", ALL_WITHIN);
}

#[test]
fn a_service_that_is_meant_for_other_machines_is_refused() {
    let of = |architecture: Option<&str>| Service {
        architecture: architecture.map(str::to_owned),
        ..service()
    };
    let own = image::architecture().to_string();
    assert!(fit(&[of(None), of(Some(&own))]).is_ok());
    let error = fit(&[of(None), of(Some("vax"))]).unwrap_err().to_string();
    assert!(
        error.contains("r/p@sha256:0") && error.contains(&own),
        "{error}"
    );
}
