#!/usr/bin/env bash
# Makes the vectors of this folder with the openssl command line alone, by the recipe of the specification (2.3). The
# keys are worth nothing. Run it in this folder; it replaces what is here.
set -euo pipefail
umask 077

openssl genrsa -out key.pem 2048 2>/dev/null
openssl pkcs8 -topk8 -in key.pem -v2 aes-256-cbc -passout pass:golden -out key.pkcs8.pem
openssl rsa -in key.pem -traditional -aes128 -passout pass:golden -out key.traditional.pem 2>/dev/null
openssl rsa -in key.pem -pubout -out public.pem 2>/dev/null

# A chain: root, intermediate, leaf without extensions, and the intermediate's list with another serial number in it.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat > "$scratch/ca.cnf" <<CNF
[ca]
default_ca = list
[list]
database = $scratch/index
crlnumber = $scratch/number
default_md = sha512
default_crl_days = 7300
CNF
touch "$scratch/index"; echo 01 > "$scratch/number"
for name in root intermediate; do openssl genrsa -out "$scratch/$name.key" 2048 2>/dev/null; done
openssl req -x509 -new -key "$scratch/root.key" -sha512 -subj "/O=Golden/CN=root" -days 7300 -out chain-root.pem \
	-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
openssl req -new -key "$scratch/intermediate.key" -subj "/O=Golden/CN=intermediate" -out "$scratch/intermediate.csr"
openssl x509 -req -in "$scratch/intermediate.csr" -CA chain-root.pem -CAkey "$scratch/root.key" -set_serial 2 -sha512 -days 7300 \
	-extfile <(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n') -out chain-intermediate.pem 2>/dev/null
for serial in 3 4; do
	openssl req -new -key key.pem -subj "/O=Golden/CN=leaf $serial" -out "$scratch/leaf.csr"
	openssl x509 -req -in "$scratch/leaf.csr" -CA chain-intermediate.pem -CAkey "$scratch/intermediate.key" -set_serial "$serial" \
		-sha512 -days 7300 -out "chain-leaf-$serial.pem" 2>/dev/null
done
openssl ca -config "$scratch/ca.cnf" -revoke chain-leaf-4.pem -cert chain-intermediate.pem -keyfile "$scratch/intermediate.key" 2>/dev/null
openssl ca -config "$scratch/ca.cnf" -gencrl -cert chain-intermediate.pem -keyfile "$scratch/intermediate.key" -out chain-list.pem 2>/dev/null
openssl crl -in chain-list.pem -outform DER -out chain-list.der

# Tokens: a line each, `NAME TOKEN`; all hold the same text but those of the contract.
seal() { # password file, text file, certificate
	local wrapped
	wrapped=$(openssl pkeyutl -encrypt -certin -inkey "${3:-chain-leaf-3.pem}" -pkeyopt rsa_padding_mode:pkcs1 -in "$1" | base64 -w0)
	printf '%s.%s' "$wrapped" "$(openssl enc -aes-256-cbc -pbkdf2 -pass stdin -in "$2" < "$1" | base64 -w0)"
}
printf 'hello-world' > "$scratch/text"
: > tokens.txt
token() { # name, password for printf
	printf "$2" > "$scratch/password"
	printf '%s hyper-protect-basic.%s\n' "$1" "$(seal "$scratch/password" "$scratch/text")" >> tokens.txt
}
token printable 'S3cret.password.of.32.characters'
token newline-inside 'S3cret.passwor\nof.32.characters.'
token newline-first '\nS3cret.password.of.32.characters'
token nul-inside 'S3cret.passwor\0of.32.characters.'
token return-inside 'S3cret.passwor\rof.32.characters.'
token one-letter 'x'
token longer-than-a-block "$(printf 'abcdefghij%.0s' 1 2 3 4 5 6 7 8 9 10)"

# The largest key that is taken.
openssl genrsa -out key-8192.pem 8192 2>/dev/null
openssl req -x509 -new -key key-8192.pem -subj /CN=largest -days 7300 -out "$scratch/largest.pem"
printf 'S3cret.password.of.32.characters' > "$scratch/password"
printf 'contract-basic.%s' "$(seal "$scratch/password" "$scratch/text" "$scratch/largest.pem")" > token-8192.txt

# A contract of two tokens, signed.
printf '%s' "$(openssl rand -hex 16)" > "$scratch/password"
printf 'type: workload\ncompose:\n  archive: H4sIAAAA\n' > "$scratch/workload"
{ printf 'type: env\nlogging:\n  syslog:\n    hostname: logs.example\n    server: '; base64 -w0 chain-root.pem; printf '\nsigningKey: '; base64 -w0 public.pem; echo; } > "$scratch/env"
workload="contract-basic.$(seal "$scratch/password" "$scratch/workload")"
env="contract-basic.$(seal "$scratch/password" "$scratch/env")"
printf 'workload: %s\nenv: %s\n' "$workload" "$env" > contract.yaml
printf '%s%s' "$workload" "$env" > "$scratch/signed"
printf 'env: %s\nenvWorkloadSignature: %s\nworkload: %s\n' "$env" "$(openssl dgst -sha256 -sign key.pem "$scratch/signed" | base64 -w0)" "$workload" > contract.signed.yaml

# A record of it, in the oldest spelling, signed and sealed.
{ echo 0.0.0; echo 'Machine Type/Plant/Serial: 8562/02/4C598'
for part in workload env; do printf '%s contract: %s\n' "$(sha256sum < "$scratch/$part" | cut -d' ' -f1)" "$part"; done
printf '%s cidata/user-data\n' "$(sha256sum < contract.signed.yaml | cut -d' ' -f1)"; } > record.txt
openssl dgst -sha256 -sign key.pem -out record.sig record.txt
printf 'hyper-protect-basic.%s' "$(seal "$scratch/password" record.txt)" > record.enc
chmod 644 ./*
chmod 755 make.sh
