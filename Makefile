# make demo    build, import a real log, and show what the promise came to (under a minute after the build)
# make test    everything that must hold: format, lints, tests, examples in the documentation
# make build   the command line tool, target/release/slaclock

CARGO ?= cargo

.PHONY: demo build test format lint tests doc

demo: build
	scripts/demo target/release/slaclock

build:
	$(CARGO) build --release --locked --features cli

test: format lint tests doc

format:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings

# Runs the examples in the documentation too.
tests:
	$(CARGO) test --workspace --all-features --locked

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps --locked
