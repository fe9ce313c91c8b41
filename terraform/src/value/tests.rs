#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use serde_json::json;

use super::msgpack::Malformed;
use super::*;

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::unknown()),
        Just(Value::Unknown([0x81, 1, 0xc2].into())),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::whole),
        (-1e9..1e9).prop_map(|number| Value::Number(Number::Float(number))),
        ".{0,40}".prop_map(Value::text),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
            prop::collection::btree_map(".{0,20}", inner.clone(), 0..8).prop_map(Value::Map),
            inner.prop_map(|value| Value::Dynamic(Kind::list(Kind::Text), value.into())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in any_value()) {
        prop_assert!(msgpack::decode(&msgpack::encode(&value)) == Ok(value));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = msgpack::decode(&bytes);
    }
}

#[test]
fn what_is_no_value_is_refused_for_what_it_is() {
    let deep = vec![0x91; MAX_DEPTH + 2];
    for (bytes, why) in [
        (&[][..], Malformed::Short),
        (&[0xc0, 0xc0], Malformed::Long),
        (&[0xa3, b'a'], Malformed::Short),
        (&[0xa1, 0xff], Malformed::Text),
        (&[0x81, 1, 1], Malformed::Key),
        (&[0x82, 0xa1, b'a', 1, 0xa1, b'a', 1], Malformed::Key),
        (&[0xc1], Malformed::Marker),
        (&[0xc4, 1, 0], Malformed::Marker),
        (&[0x92, 0xc4, 1, b'x', 0xc0], Malformed::Kind),
        // Four thousand million items are promised.
        (&[0xdd, 0xff, 0xff, 0xff, 0xff], Malformed::Short),
        (&deep, Malformed::Deep),
    ] {
        assert_eq!(msgpack::decode(bytes).unwrap_err(), why, "{bytes:?}");
    }
}

#[test]
fn every_extension_is_a_value_that_is_not_known_yet() {
    for bytes in [&[0xd4, 0, 0][..], &[0xd4, 7, 1], &[0xc7, 2, 99, 1, 2]] {
        assert_eq!(msgpack::decode(bytes).unwrap(), Value::unknown());
    }
    let refined = [0xc7, 3, 12, 0x81, 1, 0xc2];
    let value = msgpack::decode(&refined).unwrap();
    assert!(value.has_unknown());
    assert_eq!(msgpack::encode(&value), refined);
}

#[test]
fn types_survive_their_json_form() {
    let form = json!(["object", {
        "a": ["list", "string"], "b": ["map", "number"], "c": ["set", "bool"], "d": ["tuple", ["dynamic"]],
    }]);
    assert_eq!(Kind::from_json(&form).unwrap().to_json(), form);
    for wrong in [
        json!(1),
        json!("strings"),
        json!(["list"]),
        json!(["object", []]),
    ] {
        assert!(Kind::from_json(&wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_state_of_another_version_is_read_as_far_as_it_is_known() {
    let kind = Kind::from_json(&json!(["object", {
        "id": "string", "days": "number", "names": ["list", "string"], "new": "string", "any": "dynamic",
    }]));
    let state = json!({
        "id": "x", "days": 30, "names": ["a"], "gone": true, "any": {"type": "bool", "value": true},
    });
    let read = json::decode(&state, &kind.unwrap());
    let back = json::encode(&read);
    assert_eq!(
        back,
        json!({"id": "x", "days": 30, "names": ["a"], "new": null, "any": true})
    );
}

#[test]
fn a_value_does_not_print() {
    let secret = Value::Map([("key".to_owned(), Value::text("hunter2"))].into());
    assert_eq!(format!("{secret:?}"), r#"{"key": text}"#);
}
