# Two commands matter: `make demo` and `make test`. The rest is `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Debian packages: fonts with every character a name may have, headers for finding them.
PACKAGES := fonts-noto-cjk fonts-hanazono libfontconfig-dev pkg-config
# Only for a window.
WINDOW_PACKAGES := libxkbcommon-x11-0 libxcursor1 libxi6 libxrandr2 libx11-xcb1
NEXTEST := 0.9.143
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
setup-tests: setup
	@cargo nextest --version >/dev/null 2>&1 || cargo install cargo-nextest --locked --version $(NEXTEST)

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
test: setup-tests lint build ## Everything that CI runs
	cargo test --workspace --doc --quiet
	cargo nextest run --workspace
	@target/debug/fault-matrix --check

.PHONY: fault-matrix
fault-matrix: setup-tests build ## Try every fault in every phase and write docs/fault-matrix.md from what comes of it
	cargo nextest run -p tests --test faults
	target/debug/fault-matrix

.PHONY: gallery
gallery: setup ## Draw every page in every look into target/gallery
	cargo run -q -p ui --example gallery -- target/gallery

.PHONY: device-check
device-check: ## Check the build for a terminal without desktop or simulators (needs the libinput headers)
	@$(call install,libinput-dev libudev-dev libgbm-dev libseat-dev libxkbcommon-dev)
	cargo check -p kiosk --no-default-features --features device,raspberry-pi

.PHONY: bench
bench: setup ## Measure the drivers beside their limits (five minutes; leave the machine alone)
	cargo bench -q -p hal --bench limits

# cargo-fuzz is made for a nightly compiler; RUSTC_BOOTSTRAP lets the stable one take its flags.
FUZZ := RUSTC_BOOTSTRAP=1 cargo fuzz
FUZZ_TARGETS = $(notdir $(basename $(wildcard hal/fuzz/fuzz_targets/*.rs)))
RUNS ?= 100000

.PHONY: fuzz
fuzz: setup ## Fuzz every reader of device bytes (RUNS=100000 inputs each, from the kept corpus)
	@cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
	cd hal && $(FUZZ) build --sanitizer none
	@# New inputs go to a folder that is not kept; what broke a target is left in hal/fuzz/artifacts.
	@cd hal && for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/target/inputs/$$target; \
		echo "$$target: $(RUNS) runs"; \
		$(FUZZ) run --sanitizer none $$target fuzz/target/inputs/$$target fuzz/corpus/$$target \
			-- -runs=$(RUNS) -max_len=4096 -print_final_stats=1 -verbosity=0 \
			2>&1 | grep -vE 'WARNING|^$$' || exit 1; \
	done

.PHONY: fuzz-long
fuzz-long: ## The same with 10 million inputs each; hours
	@$(MAKE) --no-print-directory fuzz RUNS=10000000
