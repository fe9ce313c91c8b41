//! A token before it is opened.
#![no_main]

use hpcr_contract::token::openssl::Token;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Token::parse(text);
});
