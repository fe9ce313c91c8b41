//! Keeps the statically linked OpenSSL to ourselves: `libcryptsetup` brings the system's `libcrypto` along, and a symbol
//! that both export would be bound to whichever the loader meets first.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Wl,--exclude-libs,ALL");
    println!("cargo:rerun-if-changed=build.rs");
}
