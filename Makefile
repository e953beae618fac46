# The front door. `make` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.tools/node_modules/.bin:$(PATH)
CONSOLE_SOURCES = $(shell find console -path console/node_modules -prune -o -path console/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help demo test check build bench bench-media bench-fast bench-chart bench-g729 g729-long load bench-router bench-journal bench-calls sim fuzz miri fmt clean console sounds setup-build setup-demo setup-test unit scenarios

help: ## This list
	@echo "Patchbay: calls, routed to the right person, recorded and measured."
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: setup-demo target/sounds/made console/dist/index.html ## Install what is missing, build, start with a simulated caller
	cargo build --release --bin patchbay
	@exec target/release/patchbay demo

build: setup-build target/sounds/made console/dist/index.html ## The release binary: target/release/patchbay
	cargo build --release --bin patchbay

# Every cargo call of `test` selects the whole workspace: another selection would mean other features of the dependencies,
# and building them once more.
test: setup-test target/sounds/made console/dist/index.html ## Everything CI runs: check, unit tests, scenarios with real peers
	$(MAKE) check
	cargo build --workspace --all-targets
	cargo test --workspace --lib --bins
	cargo test --workspace --doc
	cd console && npm run --silent test
	RUST_TEST_THREADS=1 cargo test --workspace --test '*' --no-fail-fast

check: setup-build target/sounds/made console/dist/index.html ## Formatting, lints, types of the console
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cd console && npm run --silent check

unit: setup-test ## Tests of the rooms, without scenarios
	cargo test --workspace --exclude scenarios

scenarios: setup-test target/sounds/made console/dist/index.html ## The whole appliance with SIPp, baresip and Chromium
	cargo build --workspace --all-targets
	RUST_TEST_THREADS=1 cargo test -p scenarios

console: setup-build ## The console's files, console/dist; embedded when the binary is built
	$(MAKE) console/dist/index.html

sounds: setup-build ## The announcements, target/sounds; embedded when the binary is built
	$(MAKE) target/sounds/made

sim: ## The router against its oracle, many seeds (SIM_SEEDS=2000), many days (SIM_DAYS=20)
	SIM_SEEDS=$${SIM_SEEDS:-2000} cargo test --release -p router --test rules -- every_decision metamorphic protocol --nocapture
	SIM_SEEDS=$${SIM_DAYS:-20} cargo test --release -p router --test rules -- in_a_day --nocapture

bench: bench-router bench-journal bench-calls bench-g729 bench-media bench-fast ## All benchmarks; BENCHMARKING.md says how to read them

bench-media: setup-test ## Relay, SRTP, transcoding, recording: cost, loss, delay, memory beside rtpengine; BENCH="relay rounds=5"
	ulimit -n $$(ulimit -Hn) 2>/dev/null; cargo bench -p ng --bench beside -- $(BENCH)

bench-fast: setup-test ## Plain relay by the kernel (XDP) beside rtpengine and our sockets, in network namespaces; needs root; FAST="rounds=5"
	ulimit -n $$(ulimit -Hn) 2>/dev/null; cargo bench -p ng --bench beside -- kernel $(FAST)

load: setup-test ## 400 calls at once, Opus in browsers to G.711, recorded, for a minute: nothing lost, every recording whole; LOAD="calls=300 seconds=20 codec=g729"
	ulimit -n $$(ulimit -Hn) 2>/dev/null; cargo bench -p ng --bench beside -- crowd $(LOAD)

bench-chart: ## Draws the figures of the last bench-media to docs/pictures/cost.svg
	cargo bench -p ng --bench beside -- chart

bench-g729: setup-test ## G.729: time a frame beside libbcg729's, on the same speech
	cargo bench -p g729 --bench beside

g729-long: setup-test ## An hour of material through our G.729 and the others'
	G729_ROUNDS=36 cargo test --release -p g729 --test '*' -- --nocapture

bench-router: ## Routing events a second, memory of who waits, and the same beside a router that polls SQLite
	cargo bench -p router
	cargo bench -p store --bench polling

bench-journal: setup-test ## Durable journal appends a second
	cargo bench -p store --bench journal

bench-calls: setup-test sounds console ## Calls set up a second, processor time of one, and how long a free agent waits; CALLS="agents=200 rates=50,100"
	cargo build --release --bin patchbay
	ulimit -n $$(ulimit -Hn) 2>/dev/null; cargo bench -p scenarios --bench calls -- $(CALLS)

fuzz: ## Long fuzzing with libFuzzer, on nightly (FUZZ_SECONDS=60 each; FUZZ_TARGETS="rtp dtls"); `make test` has a short pass
	scripts/fuzz $${FUZZ_SECONDS:-60} $${FUZZ_TARGETS:-}

miri: ## The memory that media drivers share with the kernel, under Miri, on nightly
	cargo +nightly miri test --manifest-path fuzz/miri/Cargo.toml --target-dir target/miri

fmt: ## Format everything
	cargo fmt --all

clean: ## Remove what was built
	cargo clean
	rm -rf console/dist console/node_modules .tools

setup-build setup-demo setup-test:
	@scripts/setup $(@:setup-%=%)

target/sounds/made: sounds/en.txt sounds/ru.txt sounds/demo.txt scripts/make-sounds
	scripts/make-sounds target/sounds

console/dist/index.html: $(CONSOLE_SOURCES)
	cd console && npm run --silent build
