# make demo    build, import a real log, and show what the promise came to (under a minute after the build)
# make test    everything that must hold: format, lints, tests, examples in the documentation
# make test-languages   PHP, php-fpm, Java and Node against the C library; installs what is missing
# make c-library, install, uninstall   the C library; see bindings/c/install/install.mk
# make test-c-install   installs it into a staging folder and builds the C and C++ examples in every way
# make abi-diff   the C library against that of the last tag: a program built with the old header must keep working
# make bench-c    deadlines and openings from C, in target/bench-c
# make soak    power cuts, failing disks, kills, the model, a long life and fuzzing, for hours (SOAK=release for days); see scripts/soak
# make fuzz    every fuzz target a minute from its corpus on (FUZZ_SECONDS=600 TARGETS="life image"); builds for ten minutes first
# make models  the queue of writers in every order of its steps
# make miri    undefined behaviour, looked for by an interpreter; make tsan looks for data races. Both need a nightly toolchain: scripts/nightly
# make docs    the documentation site, target/docs/index.html; builds the Python wheel if there is none
# make test-docs   every example of the documentation and the notebooks, the site's links included
# make build   the command line tool, target/release/slaclock
# make python  the wheel, target/wheels, and .venv with it installed; make test-python runs its tests
# make bench   slaclock beside its peers; writes target/bench-report.md (SLACLOCK_BENCH_SIZE=1e7 for the full size)
# make bench-python   the wheel beside numpy, pandas, businesstimedelta and DuckDB; adds to the same report
# make bench-readme   puts the report's table into README.md

CARGO ?= cargo

.PHONY: demo build bench bench-python bench-readme docs soak fuzz models miri tsan test test-docs test-readme test-languages format lint tests doc python test-python instructions

demo: build
	scripts/demo target/release/slaclock

build:
	$(CARGO) build --release --locked -p slaclock --features cli

bench:
	$(CARGO) bench --locked -p slaclock-benches

bench-python: python
	.venv/bin/python python/tests/bench.py
	$(CARGO) run --release --locked -p slaclock-benches --bin report

bench-readme:
	scripts/bench-readme

# Two at a time: what is built for development and what is built for release wait for each other's builds no more than for
# the disk. Each target's output comes when it is done.
test:
	$(MAKE) -j2 --output-sync test-core test-packages

.PHONY: test-core test-packages
test-core:
	$(MAKE) format
	$(MAKE) lint
	$(MAKE) tests
	$(MAKE) doc

# In this order: the documentation's examples run in the environment that the package's tests made.
test-packages:
	$(MAKE) test-python
	$(MAKE) test-docs
	$(MAKE) test-readme
	$(MAKE) test-languages
	$(MAKE) test-c-install
	$(MAKE) instructions

docs:
	scripts/docs build

test-docs: c-library
	SLACLOCK_LIB=$(abspath $(slaclock_built)) scripts/docs test

test-readme: c-library
	scripts/test-readme .venv/bin/python $(slaclock_built)

test-languages: c-library
	CARGO=$(CARGO) scripts/test-languages $(slaclock_built)/libslaclock.so

format:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings

# Runs the examples in the documentation too. The C library is tried with search and pages here, as it is shipped in test-c-install.
tests:
	$(CARGO) test --workspace --all-features --locked

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps --locked

# Prints its seed; SLACLOCK_SEED=… runs the same again.
soak:
	CARGO=$(CARGO) scripts/soak $(SOAK)

# Not in `make test`: its build takes longer than the rest. The corpora are replayed there by `tests/corpus.rs`.
fuzz:
	CARGO=$(CARGO) scripts/fuzz $(or $(FUZZ_SECONDS),60) $(TARGETS)

# What threads share, in every order of their steps.
models:
	$(CARGO) test --release --locked --manifest-path fuzz/Cargo.toml --target-dir target/models -p slaclock-models -- --nocapture

# Not in `make test`: a nightly toolchain has them, and they take a thousand and ten times as long as plain tests.
miri tsan:
	scripts/nightly $@

# Instructions of the hot paths against their bounds; valgrind counts them. Built together with the C library, since both
# use the same build of the core then.
instructions:
	scripts/need valgrind valgrind
	$(CARGO) build --release --locked -p slaclock-capi -p slaclock-benches --lib --bin instructions
	$(slaclock_built)/instructions

# --- the C library: c-library, install, uninstall, and the test of them -----------------------------------------------

include bindings/c/install/install.mk

.PHONY: test-c-install abi-diff bench-c

test-c-install:
	CARGO=$(CARGO) scripts/test-c-install

abi-diff:
	scripts/abi-diff

bench-c:
	$(CARGO) build --release --locked -p slaclock-capi
	mkdir -p target/bench-c
	for name in due open; do \
	    $(CC) -O2 -std=gnu11 -Iinclude bindings/c/bench/$$name.c -o target/bench-c/$$name \
	        target/release/libslaclock.so -Wl,-rpath,$(CURDIR)/target/bench-c || exit 1; done
	cp target/release/libslaclock.so target/bench-c/libslaclock.so.0
	target/bench-c/due examples/policies/promise.toml resolution
	target/bench-c/open target/bench-c/million.slaclock examples/policies/promise.toml

# The Python package: see scripts/python. Cargo is told that it builds an extension module, as maturin tells it.
export PYO3_BUILD_EXTENSION_MODULE = 1

python:
	scripts/python wheel

test-python:
	scripts/python test
