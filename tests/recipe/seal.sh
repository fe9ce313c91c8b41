#!/bin/bash
# The published recipe: seal two sections for an image, sign them, write the contract. What `hpcr-check` is measured against.
# usage: seal.sh CERTIFICATE SIGNING_KEY WORKLOAD ENV > CONTRACT
set -euo pipefail
seal() {
    local password; password=$(mktemp)
    openssl rand -hex 16 >"$password"
    printf 'hyper-protect-basic.%s.%s' \
        "$(openssl pkeyutl -encrypt -certin -inkey "$1" -pkeyopt rsa_padding_mode:pkcs1 -in "$password" | openssl base64 -A)" \
        "$(openssl enc -aes-256-cbc -pbkdf2 -pass stdin -in "$2" <"$password" | openssl base64 -A)"
    rm -f "$password"
}
workload=$(seal "$1" "$3")
env=$(seal "$1" "$4")
signature=$(printf '%s%s' "$workload" "$env" | openssl dgst -sha256 -sign "$2" | openssl base64 -A)
printf 'env: %s\nenvWorkloadSignature: %s\nworkload: %s\n' "$env" "$signature" "$workload"
