# barograph: what people type. Everything here is plain cargo; see CONTRIBUTING.md for the finer tools.
#
# BAROGRAPH_DATA and BAROGRAPH_LISTEN are passed on to `make run`.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Given to every test program, for example: make test TEST_ARGS=--show-output
TEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help tools server build run test fuzz bench check

help:
	@echo "barograph: the weather of crypto markets, explained"
	@echo
	@echo "  make run      build, report on the built-in history, then a synthetic market live; serves on 127.0.0.1:8600 (Ctrl-C stops)"
	@echo "  make build    build the release binary: $(TARGET)/release/barograph"
	@echo "  make test     every test, documentation examples included; PostgreSQL is installed for them where that needs no password"
	@echo "  make check    formatting, lints, house rules, generated references"
	@echo "  make fuzz     a million damaged frames through every venue session (minutes)"
	@echo "  make bench    measure the promised figures and print them as a table"
	@echo
	@echo "  BAROGRAPH_DATA    folder for stored data (default: the platform's data folder)"
	@echo "  BAROGRAPH_LISTEN  address to serve on (default: 127.0.0.1:8600)"
	@echo
	@$(MAKE) --no-print-directory tools || true

# Says what is there and what is missing; ends with an error when something is missing.
tools:
	@missing=0; \
	if command -v $(CARGO) >/dev/null 2>&1; then echo "installed: $$($(CARGO) --version)"; \
	else missing=1; echo "missing:   cargo; install Rust from https://rustup.rs (or: sudo apt install cargo, where that is 1.90 or newer)"; fi; \
	if command -v cc >/dev/null 2>&1; then echo "installed: cc ($$(cc --version | head -n 1))"; \
	else missing=1; echo "missing:   a C compiler; on Debian or Ubuntu: sudo apt install build-essential"; fi; \
	exit $$missing

# PostgreSQL's server programs, which the tests of the second store start for themselves, on a free loopback port and in a
# temporary folder. Installed where that needs no password; else said how, and those tests say that they are skipped.
server:
	@if ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1; then \
		echo "installed: PostgreSQL (for the tests of the second store)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "installing PostgreSQL, which the tests of the second store start for themselves"; \
		apt-get install -y -q --no-install-recommends postgresql >/dev/null \
			|| { apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends postgresql >/dev/null; } \
			|| echo "missing:   PostgreSQL; its tests are skipped"; \
	else echo "missing:   PostgreSQL; its tests are skipped; on Debian or Ubuntu: sudo apt install postgresql"; fi

build: tools
	$(CARGO) build --release --locked --package barograph

# exec: signals reach the program itself, so that it can end cleanly.
run: build
	@exec $(TARGET)/release/barograph demo

# A million damaged frames for each venue session take seconds here; FUZZ_FRAMES=10000000 for a long run.
# Its name has no BAROGRAPH_ before it: the program, which other tests start, refuses variables of its own that it does not know.
test: tools server
	FUZZ_FRAMES=$${FUZZ_FRAMES:-1000000} $(CARGO) test --workspace --locked --features xtask/gen -- $(TEST_ARGS)

fuzz: tools
	FUZZ_FRAMES=1000000 $(CARGO) test --locked --package barograph-venues --tests

bench: tools
	$(CARGO) run --quiet --locked --release --package xtask -- bench

check: tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --features xtask/gen -- -D warnings
	$(CARGO) run --quiet --locked --package xtask --features gen -- tidy
	$(CARGO) run --quiet --locked --package xtask --features gen -- gen --check
