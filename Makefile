# Two commands matter: `make demo` and `make test`. The rest is `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Debian packages: fonts with every character a name may have, headers for finding them.
PACKAGES := fonts-noto-cjk fonts-hanazono libfontconfig-dev pkg-config
# Only for a window.
WINDOW_PACKAGES := libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1
# Servers that the gateway's tests and measurements start for themselves.
SERVICE_PACKAGES := postgresql python3-venv
# For the trials of lost power, full disks and wrong clocks (those also need root and /dev/fuse), and the
# voice that the tests of speech listen to.
TEST_PACKAGES := e2fsprogs libfaketime espeak-ng
# What a terminal that reads its pages aloud has installed: the voice and the player.
SPEECH_PACKAGES := espeak-ng alsa-utils
NEXTEST := 0.9.143
# Steps at which tests end the gateway; they do nothing unless they are named at its start.
STEPS := --features gateway/failpoints
OUT ?= demo-out
VISIT ?= tests/fixtures/visits/self-directed.toml
HEADLESS ?= $(if $(or $(DISPLAY),$(WAYLAND_DISPLAY)),0,1)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

# install PACKAGES…: only what is missing, and only then ask the system.
define install
	missing=(); for package in $(1); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing+=($$package); \
	done; \
	if (( $${#missing[@]} )); then \
		echo "Installing $${missing[*]}"; \
		$(SUDO) apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $${missing[*]} >/dev/null; \
	fi
endef

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: setup
setup: ## Install the Debian packages that are missing
	@$(call install,$(PACKAGES))

.PHONY: setup-tests
setup-tests: setup handwriting-model target/npm/ready target/npm/tus-server/ready target/venv/ready
	@$(call install,$(TEST_PACKAGES))
	@cargo nextest --version >/dev/null 2>&1 || cargo install cargo-nextest --locked --version $(NEXTEST)

# Programs of others that the gateway is held against. Never linked, never shipped.
INTEROP := gateway/tests/interop
target/npm/ready: $(INTEROP)/package.json
	@command -v npm >/dev/null || { $(call install,nodejs npm); }
	@mkdir -p target/npm
	@cp $< target/npm/package.json
	npm install --prefix target/npm --no-package-lock --no-audit --no-fund --ignore-scripts --silent
	@touch $@

target/venv/ready: $(INTEROP)/requirements.txt
	@python3 -c 'import ensurepip' 2>/dev/null || { $(call install,python3-venv); }
	python3 -m venv target/venv
	target/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# A tus server that other people wrote; the terminal's upload is tried against it.
target/npm/tus-server/ready: kiosk/tests/interop/package.json kiosk/tests/interop/package-lock.json
	@command -v npm >/dev/null || { $(call install,nodejs npm); }
	@mkdir -p $(@D)
	@cp $(filter %.json,$^) $(@D)/
	npm ci --prefix $(@D) --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

.PHONY: setup-services
setup-services: ## Install what the gateway's tests start for themselves: PostgreSQL, and Python for an S3 server
	@$(call install,$(SERVICE_PACKAGES))

.PHONY: build
build: setup ## Build every program
	cargo build --workspace --bins

.PHONY: demo
demo: build ## Try the whole product (HEADLESS=1 without a display, VISIT=FILE, OUT=DIR)
ifeq ($(HEADLESS),1)
	target/debug/kiosk demo --headless --visit $(VISIT) --out $(OUT)
else
	@$(call install,$(WINDOW_PACKAGES))
	target/debug/kiosk demo --out $(OUT)
endif

.PHONY: lint
lint: setup ## Formatting and clippy, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: test
test: setup-tests setup-services lint build ## Everything that CI runs
	cargo test --workspace --doc --quiet
	scripts/with-services.sh cargo nextest run --workspace $(STEPS)
	@target/debug/fault-matrix --check

.PHONY: fault-matrix
fault-matrix: setup-tests build ## Try every fault in every phase and write docs/fault-matrix.md from what comes of it
	cargo nextest run -p tests --test faults
	target/debug/fault-matrix

KILLS ?= 2000
CUTS ?= 300
POSITIONS ?= all
UPLOADS ?= 100
RELAYED ?= 100
FLIPS ?= 100
ROUNDS ?= 10
SEED ?= 1
# Which of the trials, for example TRIALS="kills flips"; all of them otherwise.
TRIALS ?=
# Only here: `make test` runs the same trials with their own small counts.
faults: export KILLS := $(KILLS)
faults: export CUTS := $(CUTS)
faults: export POSITIONS := $(POSITIONS)
faults: export UPLOADS := $(UPLOADS)
faults: export RELAYED := $(RELAYED)
faults: export FLIPS := $(FLIPS)
faults: export ROUNDS := $(ROUNDS)
faults: export SEED := $(SEED)

.PHONY: faults
faults: setup-tests ## Kill, cut, fill, flip and lie at length (KILLS=2000 CUTS=300 POSITIONS=all …; needs root)
	cargo build --bins -p gateway -p tests --features gateway/failpoints,tests/failpoints
	@target/debug/losses $(addprefix --trial ,$(TRIALS))
	@echo "Kept in target/faults/summary.json"

.PHONY: input-data
input-data: ## Fetch the tables of rare characters and townships into target/input
	scripts/input-data

.PHONY: input-eval
input-eval: input-data ## Measure how often the right characters come first, on names and addresses of others
	@python3 -c 'import ensurepip' 2>/dev/null || { $(call install,python3-venv); }
	@[ -x target/input-venv/bin/python ] || python3 -m venv target/input-venv
	@target/input-venv/bin/pip install -q --disable-pip-version-check faker==40.63.0 pypinyin==0.55.0
	target/input-venv/bin/python scripts/input-cases target/input/regions.tsv > target/input-cases.tsv
	cargo run -q --release -p ime --example accuracy -- target/input-cases.tsv target/input/regions.tsv

.PHONY: handwriting-model
handwriting-model: ## Fetch the network that reads handwriting into target/handwriting
	@scripts/handwriting-model --check >/dev/null 2>&1 || { \
		python3 -m pip --version >/dev/null 2>&1 || { $(call install,python3-pip); }; \
		scripts/handwriting-model; \
	}

.PHONY: handwriting-eval
handwriting-eval: handwriting-model ## Measure how often the drawn character comes first, on strokes of others
	@command -v npm >/dev/null || { $(call install,nodejs npm); }
	scripts/handwriting-cases > target/handwriting-cases.tsv
	cargo run -q --release -p ime --example handwriting -- target/handwriting-cases.tsv

.PHONY: setup-speech
setup-speech: ## Install what reads pages aloud on a terminal: espeak-ng and the player of ALSA
	@$(call install,$(SPEECH_PACKAGES))

.PHONY: gallery
gallery: setup ## Draw every page in every look into target/gallery
	cargo run -q -p ui --example gallery -- target/gallery

.PHONY: goldens
goldens: setup ## Compare every page with how it was approved, side by side (ACCEPT=1 approves)
	@GOLDENS=$(if $(ACCEPT),accept,review) cargo test -q -p ui --test goldens || \
		{ echo "Look at target/goldens/index.html; make goldens ACCEPT=1 approves."; exit 1; }

.PHONY: looks
looks: setup ## Measure every page in every look, all pixels too (minutes)
	LOOKS=all cargo nextest run -p ui --test looks

.PHONY: device-check
device-check: ## Check the build for a terminal without desktop or simulators (needs the libinput headers)
	@$(call install,libinput-dev libudev-dev libgbm-dev libseat-dev libxkbcommon-dev)
	cargo check -p kiosk --no-default-features --features device,raspberry-pi

.PHONY: bench
bench: setup setup-services ## Measure drivers, sealing, queue, upload and gateway beside their limits (leave the machine alone)
	@$(call install,age curl)
	cargo bench -q -p envelope --bench sealing
	cargo bench -q -p hal --bench limits
	cargo bench -q -p kiosk --bench delivery
	scripts/with-services.sh cargo bench -q -p gateway --bench ingest
	$(MAKE) screen-bench

.PHONY: screen-bench
screen-bench: setup ## Measure the screens, and their start beside Chromium in kiosk mode
	@$(call install,chromium)
	cargo build -q --release -p ui --example pace
	target/release/examples/pace all
	scripts/screen-bench

# cargo-fuzz is made for a nightly compiler; RUSTC_BOOTSTRAP lets the stable one take its flags.
FUZZ := RUSTC_BOOTSTRAP=1 cargo fuzz
FUZZ_ROOMS := hal envelope
RUNS ?= 100000

.PHONY: fuzz
fuzz: setup ## Fuzz every reader of outside bytes (RUNS=100000 inputs each, from the kept corpus)
	@cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
	@for room in $(FUZZ_ROOMS); do (cd $$room && $(FUZZ) build --sanitizer none) || exit 1; done
	@# New inputs go to a folder that is not kept; what broke a target is left in ROOM/fuzz/artifacts.
	@for room in $(FUZZ_ROOMS); do \
		for file in $$room/fuzz/fuzz_targets/*.rs; do \
			target=$$(basename $$file .rs); \
			mkdir -p $$room/fuzz/target/inputs/$$target; \
			echo "$$room/$$target: $(RUNS) runs"; \
			(cd $$room && $(FUZZ) run --sanitizer none $$target \
				fuzz/target/inputs/$$target fuzz/corpus/$$target \
				-- -runs=$(RUNS) -max_len=4096 -print_final_stats=1 -verbosity=0 \
				2>&1 | grep -vE 'WARNING|^$$') || exit 1; \
		done; \
	done

.PHONY: fuzz-long
fuzz-long: ## The same with 10 million inputs each; hours
	@$(MAKE) --no-print-directory fuzz RUNS=10000000
