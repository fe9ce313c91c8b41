# The appliance's front door. `make run` shows it, `make test` proves it; everything else is below.
#
#   make setup      install the Debian packages that are missing (says which; asks sudo only then)
#   make run        build everything, boot a confidential appliance in QEMU, fetch a page from it, shut it down
#   make test       unit, interoperability and guest tests (14 minutes from a warm build, 35 from a cold one)
#   make lint       formatting, clippy, documentation, dependencies
#   make bench      boot time, image size, time in each phase -> target/bench/report.{json,md}; ONLY=name for one
#   make campaign   fault runs: power cuts, a collector that stays away; ROUNDS=100 for long ones, ONLY=name for one
#   make fuzz       bounded fuzzing of every parser of outside bytes; SECONDS_EACH=60

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup run test lint bench campaign fuzz build image clean

# What a build needs, then what the rig runs: a guest, a registry, a collector, a name server.
BUILD_PACKAGES := build-essential pkg-config perl libclang-dev libcryptsetup-dev libblkid-dev
RIG_PACKAGES := qemu-system-x86 docker-registry rsyslog rsyslog-gnutls dnsmasq-base xorriso libxml2-utils openssl valgrind \
	iproute2 util-linux e2fsprogs ca-certificates debian-archive-keyring

export PATH := $(PATH):/usr/sbin:/sbin:$(CURDIR)/target/tools/bin
BIN := target/release
IMAGE := target/image

setup:
	@missing=(); for package in $(BUILD_PACKAGES) $(RIG_PACKAGES); do \
		[ "$$(dpkg-query -Wf '$${db:Status-Status}' "$$package" 2>/dev/null)" = installed ] || missing+=("$$package"); \
	done; \
	if [ $${#missing[@]} -gt 0 ]; then \
		echo "setup: installing $${missing[*]}"; \
		root=(); if [ "$$(id -u)" != 0 ]; then root=(sudo); echo "setup: root is needed for that, through sudo"; fi; \
		"$${root[@]}" apt-get update -qq; \
		"$${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$${missing[@]}" >/dev/null; \
	fi
	@command -v cargo >/dev/null || { echo "setup: cargo is missing: install Rust (rustup.rs, or the package rustup)"; exit 2; }

build: setup
	cargo build --release --locked

image: build
	$(BIN)/hpcr-image build --development --out $(IMAGE)

run: image
	$(BIN)/hpcr-demo

test: image
	cargo test --release --locked --workspace --no-fail-fast

lint: setup
	cargo fmt --all --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --workspace --no-deps --document-private-items --quiet
	@command -v cargo-deny >/dev/null || cargo install --quiet --locked cargo-deny --root target/tools
	cargo fetch --locked --quiet
	cargo deny --offline check --hide-inclusion-graph bans licenses sources

bench: image
	$(BIN)/hpcr-bench $(if $(ONLY),--only $(ONLY))

campaign: image
	$(BIN)/hpcr-campaign $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

SECONDS_EACH ?= 60
# Stable Rust is enough: coverage comes from the compiler's own pass, without a sanitizer.
fuzz: setup
	@command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz --root target/tools
	@CARGO_TARGET_DIR=$(CURDIR)/target/fuzz cargo fuzz build --fuzz-dir tests/fuzz --sanitizer none
	@for target in $$(cargo fuzz list --fuzz-dir tests/fuzz); do \
		echo "fuzz: $$target for $(SECONDS_EACH) s"; \
		mkdir -p target/fuzz/corpus/$$target; \
		CARGO_TARGET_DIR=$(CURDIR)/target/fuzz cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none $$target \
			$(CURDIR)/target/fuzz/corpus/$$target $$(ls -d $(CURDIR)/tests/fuzz/corpus/$$target 2>/dev/null) -- -max_total_time=$(SECONDS_EACH) -max_len=65536 -print_final_stats=0 -verbosity=0 -timeout=10; \
	done
