//! Signatures: whose they are, and that none can be peeled off, moved or forged.

use super::*;

#[test]
fn a_signed_contract_is_verified_with_its_own_key_and_expires_with_its_certificate() {
    let certificate = testing::certificate(&SIGNER, 1_000_000, 2_000_000);
    for (pem, expires) in [(&SIGNER.public_pem, None), (&certificate, Some(2_000_000))] {
        let (workload, env) = (token(WORKLOAD), token(&with_signing_key(pem)));
        let contract = format!(
            "workload: {workload}\nenv: {env}\nenvWorkloadSignature: {}\n",
            signature(&workload, &env)
        );
        let verified = verify(&contract).unwrap();
        assert_eq!(
            verified
                .signer()
                .unwrap()
                .validity()
                .map(|validity| validity.not_after),
            expires
        );
    }
}

#[test]
fn a_signature_cannot_be_peeled_off_moved_or_forged() {
    let (workload, env) = (
        token(WORKLOAD),
        token(&with_signing_key(&SIGNER.public_pem)),
    );
    let (unsigned_env, other_workload) = (token(ENV), token(WORKLOAD));
    let good = signature(&workload, &env);
    let mapping = format!(
        "workload:\n{}env: {env}\nenvWorkloadSignature: {good}\n",
        block(WORKLOAD, 2)
    );
    for (contract, cause) in [
        (
            format!("workload: {workload}\nenv: {env}\n"),
            "signing key but no signature",
        ),
        (
            format!("workload: {workload}\nenv: {unsigned_env}\nenvWorkloadSignature: {good}\n"),
            "signature but no signing key",
        ),
        (
            format!("workload: {other_workload}\nenv: {env}\nenvWorkloadSignature: {good}\n"),
            "does not match",
        ),
        (
            format!("workload: {workload}\nenv: {env}\nenvWorkloadSignature: ''\n"),
            "does not match",
        ),
        (
            format!("workload: {workload}\nenv: {env}\nenvWorkloadSignature: '***'\n"),
            "not base64",
        ),
        (mapping, "a mapping cannot be signed"),
    ] {
        let rejection = verify(&contract).unwrap_err();
        let (code, text) = first(&rejection);
        assert!(text.contains(cause), "{text}");
        assert_eq!(
            (code, rejection.authenticated),
            (messages::SIGNATURE_INVALID, false)
        );
    }
}

#[test]
fn literal_sections_are_signed_as_they_stand_and_not_without_their_line_ends() {
    let env = with_signing_key(&SIGNER.public_pem);
    let contract = |signature: &str| {
        format!(
            "workload: |\n{}env: |\n{}envWorkloadSignature: {signature}\n",
            block(WORKLOAD, 2),
            block(&env, 2)
        )
    };
    verify(&contract(&signature(WORKLOAD, &env))).unwrap();
    let stripped = signature(&WORKLOAD.replace('\n', ""), &env.replace('\n', ""));
    assert!(
        first(&verify(&contract(&stripped)).unwrap_err())
            .1
            .contains("does not match")
    );
    // The documentation's recipe, of tokens in literal blocks.
    let (workload, env) = (token(WORKLOAD), token(&env));
    let wrapped = format!(
        "workload: |\n  {workload}\nenv: |\n  {env}\nenvWorkloadSignature: {}\n",
        signature(&workload, &env)
    );
    verify(&wrapped).unwrap();
}
