//! Hostile JSON, one line each: that of a good header with one place changed.

use super::*;

const SLOT: &str = r#""type":"luks2","key_size":64"#;
const SEGMENT: &str = r#""type":"crypt","offset":"16777216""#;

/// What is wrong, the good text, the hostile text.
const HOSTILE: &[(&str, &str, &str)] = &[
    (
        "null cipher in the segment",
        r#""encryption":"aes-xts-plain64","sector_size""#,
        r#""encryption":"cipher_null-ecb","sector_size""#,
    ),
    (
        "null cipher in the slot",
        r#""encryption":"aes-xts-plain64","key_size""#,
        r#""encryption":"cipher_null-ecb","key_size""#,
    ),
    (
        "weak cipher",
        r#""encryption":"aes-xts-plain64","sector_size""#,
        r#""encryption":"aes-ecb","sector_size""#,
    ),
    (
        "linear segment",
        SEGMENT,
        r#""type":"linear","offset":"16777216""#,
    ),
    (
        "integrity that nobody asked for",
        r#""sector_size":512"#,
        r#""sector_size":512,"integrity":{"type":"hmac(sha256)"}"#,
    ),
    (
        "segment of fixed size",
        r#""size":"dynamic""#,
        r#""size":"512""#,
    ),
    (
        "numbering from elsewhere",
        r#""iv_tweak":"0""#,
        r#""iv_tweak":"8""#,
    ),
    (
        "second segment",
        r#""segments":{"0":{"#,
        r#""segments":{"1":{"type":"crypt","offset":"16777216","size":"dynamic","iv_tweak":"0","encryption":"aes-xts-plain64","sector_size":512},"0":{"#,
    ),
    (
        "segment inside of the slots",
        SEGMENT,
        r#""type":"crypt","offset":"16773120""#,
    ),
    (
        "segment beyond bounds",
        SEGMENT,
        r#""type":"crypt","offset":"18446744073709547520""#,
    ),
    (
        "segment off a block",
        SEGMENT,
        r#""type":"crypt","offset":"16777728""#,
    ),
    (
        "odd sector size",
        r#""sector_size":512"#,
        r#""sector_size":1024"#,
    ),
    (
        "token",
        r#""tokens":{}"#,
        r#""tokens":{"0":{"type":"luks2-keyring","keyslots":["0"],"key_description":"x"}}"#,
    ),
    (
        "reencryption slot",
        SLOT,
        r#""type":"reencrypt","key_size":1"#,
    ),
    (
        "requirement",
        r#""json_size":"12288""#,
        r#""json_size":"12288","requirements":{"mandatory":["online-reencrypt"]}"#,
    ),
    (
        "flag",
        r#""json_size":"12288""#,
        r#""json_size":"12288","flags":["allow-discards"]"#,
    ),
    ("short key", SLOT, r#""type":"luks2","key_size":16"#),
    ("free derivation", r#""time":4"#, r#""time":1"#),
    ("endless derivation", r#""time":4"#, r#""time":4294967295"#),
    ("cheap memory", r#""memory":1048576"#, r#""memory":64"#),
    ("all memory", r#""memory":1048576"#, r#""memory":4194304"#),
    ("no lane", r#""cpus":4"#, r#""cpus":0"#),
    (
        "unknown derivation",
        r#""type":"argon2id""#,
        r#""type":"plain""#,
    ),
    (
        "cheap pbkdf2",
        r#""type":"argon2id","time":4,"memory":1048576,"cpus":4"#,
        r#""type":"pbkdf2","hash":"sha256","iterations":1000"#,
    ),
    (
        "broken hash",
        r#""stripes":4000,"hash":"sha256""#,
        r#""stripes":4000,"hash":"md5""#,
    ),
    ("no splitting", r#""stripes":4000"#, r#""stripes":1"#),
    (
        "slot over the headers",
        r#""offset":"32768""#,
        r#""offset":"16384""#,
    ),
    (
        "slot over the data",
        r#""offset":"32768""#,
        r#""offset":"16773120""#,
    ),
    (
        "slot that wraps",
        r#""offset":"32768""#,
        r#""offset":"18446744073709547520""#,
    ),
    ("large slot", r#""size":"258048""#, r#""size":"16744448""#),
    (
        "number with a sign",
        r#""offset":"32768""#,
        r#""offset":"+32768""#,
    ),
    (
        "number with a zero",
        r#""offset":"32768""#,
        r#""offset":"032768""#,
    ),
    (
        "priority",
        SLOT,
        r#""priority":3,"type":"luks2","key_size":64"#,
    ),
    (
        "digest without slots",
        r#""keyslots":["0"]"#,
        r#""keyslots":[]"#,
    ),
    (
        "digest of another slot",
        r#""keyslots":["0"]"#,
        r#""keyslots":["0","1"]"#,
    ),
    (
        "digest without segment",
        r#""segments":["0"]"#,
        r#""segments":[]"#,
    ),
    (
        "digest that costs all",
        r#""iterations":100000"#,
        r#""iterations":4294967295"#,
    ),
    (
        "short salt",
        r#""digest":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=""#,
        r#""digest":"AAAA""#,
    ),
    (
        "no config",
        r#","config":{"json_size":"12288","keyslots_size":"16744448"}"#,
        "",
    ),
    (
        "slots of all sizes",
        r#""keyslots_size":"16744448""#,
        r#""keyslots_size":"18446744073709547520""#,
    ),
    (
        "key named twice",
        r#""stripes":4000"#,
        r#""stripes":4000,"stripes":4000"#,
    ),
    (
        "text after the end",
        r#""keyslots_size":"16744448"}}"#,
        r#""keyslots_size":"16744448"}} {}"#,
    ),
];

#[test]
fn hostile_json_is_refused() {
    for (what, from, to) in HOSTILE {
        let outcome = changed(from, to);
        assert!(
            matches!(outcome, Err(Refusal::Json(_) | Refusal::Shape(_))),
            "{what}: {outcome:?}"
        );
    }
}
