#!/bin/bash
# The published recipe backwards: verify a contract's signature and open its two sections.
# usage: open.sh PRIVATE_KEY SIGNING_PUBLIC_KEY CONTRACT
set -euo pipefail
value() { sed -n "s/^$1: //p" "$2"; }
workload=$(value workload "$3")
env=$(value env "$3")
signature=$(mktemp)
value envWorkloadSignature "$3" | openssl base64 -d -A >"$signature"
printf '%s%s' "$workload" "$env" | openssl dgst -sha256 -verify "$2" -signature "$signature" >/dev/null
rm -f "$signature"
open() {
    local rest=${2#*.} password; password=$(mktemp)
    printf '%s' "${rest%%.*}" | openssl base64 -d -A | openssl pkeyutl -decrypt -inkey "$1" -pkeyopt rsa_padding_mode:pkcs1 >"$password"
    openssl enc -d -aes-256-cbc -pbkdf2 -pass stdin -in <(printf '%s' "${rest#*.}" | openssl base64 -d -A) <"$password"
    rm -f "$password"
}
open "$1" "$workload" >/dev/null
open "$1" "$env" >/dev/null
