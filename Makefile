# Everything runs in .venv and from an empty clone. `make help` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
WEB := $(shell find web -type f -not -path '*/node_modules/*')
RUST := Cargo.toml Cargo.lock $(shell find rust -name '*.rs')
T ?= tests

.DEFAULT_GOAL := help
.PHONY: help demo test check web wheel format lint types clippy tidy screenshots container-test bench instructions memcheck sanitize fuzz soak simulate docs bench-quality bench-service reproduce-seeds aws-demo lock tools clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(STAMPS)/build $(if $(shell command -v npm),$(STAMPS)/web)  ## Find and explain anomalies in a recording, then in this machine's own metrics
	$(BIN)/watchband demo $(ARGS)

test: $(STAMPS)/build $(STAMPS)/dev $(STAMPS)/web  ## Every test (T=path for a part)
	CARGO_TERM_COLOR=never cargo test --release --quiet --lib
	cd web && npm run --silent test
	$(BIN)/python -m pytest $(T) $(ARGS)

check: format lint types clippy tidy test  ## What CI runs: format, lint, types, clippy, house rules, tests

format: $(STAMPS)/dev  ## Formatting is as the tools would have it (FIX=1 rewrites)
	$(BIN)/ruff format $(if $(FIX),,--check) python tests benches tools
	cargo fmt $(if $(FIX),,-- --check)

lint: $(STAMPS)/dev  ## ruff
	$(BIN)/ruff check $(if $(FIX),--fix,) python tests benches tools

types: $(STAMPS)/build $(STAMPS)/dev  ## mypy --strict, and the stub against the binary
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest watchband._kernels --ignore-missing-stub

clippy:  ## cargo clippy, warnings are errors
	cargo clippy --release --all-targets --quiet -- -D warnings

tidy: $(STAMPS)/build $(STAMPS)/dev  ## House rules and docs
	$(BIN)/python -m pytest -q tests/test_tidy.py tests/test_docs.py

web: $(STAMPS)/web  ## Build the dashboard (wants Node.js and npm)

wheel: $(STAMPS)/run $(STAMPS)/web  ## dist/watchband-*.whl with the dashboard and its licences in it
	$(BIN)/maturin build --release --quiet --out dist

screenshots: $(STAMPS)/build $(STAMPS)/dev $(STAMPS)/web  ## Pictures of the dashboard over made-up history, into docs/images (wants Chromium)
	$(BIN)/python -m tools.screenshots $(ARGS)

bench: $(STAMPS)/build $(STAMPS)/dev $(STAMPS)/bench $(STAMPS)/web  ## Speed and size beside the peers (B=name for one)
	$(if $(filter-out dashboard,$(or $(B),all)),$(BIN)/python -m benches $(B))
	$(if $(filter dashboard,$(or $(B),dashboard)),$(BIN)/python -m benches.dashboard)

fuzz: $(STAMPS)/build $(STAMPS)/dev  ## Coverage-guided fuzzing of all that reads bytes from outside, a minute each (ARGS="arrow --seconds 600")
	$(BIN)/python -m tools.fuzz $(ARGS)

bench-service: $(STAMPS)/build $(STAMPS)/dev  ## What the service costs: folding, HTTP, restart, delivery (ARGS="fold --series 20000")
	$(BIN)/python -m benches.service $(ARGS)

bench-quality: $(STAMPS)/build $(STAMPS)/dev $(STAMPS)/bench  ## Figures of quality beside every peer, into docs/quality.md (hours the first time)
	WATCHBAND_QUALITY_COMMAND='make bench-quality' $(BIN)/python -m benches.quality --seed 1000 --write $(ARGS)

reproduce-seeds: $(STAMPS)/build $(STAMPS)/dev  ## Every figure of the five seed documents that can be had, made again (wants NAB in WATCHBAND_DATA)
	$(BIN)/python -m benches.seeds $(ARGS)

instructions: $(STAMPS)/run  ## Instructions a point of fixed work beside the recorded ones (ARGS=--write records)
	$(BIN)/python -m tools.instructions $(ARGS)

aws-demo: $(STAMPS)/build $(STAMPS)/dev  ## A cold store and four hosts through functions, streams and tables of AWS, on local endpoints
	$(BIN)/python -m tools.aws_demo

memcheck: $(STAMPS)/build $(STAMPS)/dev  ## Kernels under Valgrind: their own tests, then damaged states of every detector
	$(BIN)/python -m tools.memcheck $(ARGS)

sanitize: $(STAMPS)/build $(STAMPS)/dev  ## Kernels under AddressSanitizer and Miri (wants a nightly compiler)
	$(BIN)/python -m tools.sanitize $(ARGS)

container-test: $(STAMPS)/run  ## Every step of the container file in bare Debian roots, and what it builds (wants root, mmdebstrap)
	$(BIN)/python -m tools.container

simulate: $(STAMPS)/build $(STAMPS)/dev  ## A simulated world in which everything fails, with its trace (SEED=number)
	$(BIN)/python -m tests.simulation $(SEED)

soak: memcheck fuzz  ## What is too long for CI: 100,000 simulated worlds, 100 kills, fuzzing, deep property tests, Valgrind, budgets
	$(BIN)/python -m tests.simulation 0 --through 99999
	WATCHBAND_KILLS=100 HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -o faulthandler_exit_on_timeout=false $(T) $(ARGS)
	$(BIN)/python -m benches.budget

docs: $(STAMPS)/build $(STAMPS)/dev  ## Rewrite the generated parts of the docs
	$(BIN)/python -m tools.docs

lock: $(STAMPS)/dev  ## Compile the lock files anew (no download addresses in them)
	$(BIN)/python -m tools.lock

clean:  ## Remove everything that is made
	rm -rf $(VENV) target build dist web/node_modules python/watchband/apps/server/static .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find python -name '*.so' -delete

tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Watchband needs Python 3.11 or newer as '$(PYTHON)': apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@command -v cargo >/dev/null || { \
	  echo "Watchband needs a Rust toolchain to build its kernels: apt-get install cargo, or install rustup"; exit 1; }

$(STAMPS)/run: requirements/run.txt | tools
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

$(STAMPS)/bench: requirements/bench.txt $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@

$(STAMPS)/web: $(WEB) | $(STAMPS)/run
	@command -v npm >/dev/null || { \
	  echo "The dashboard is built with Node.js 20 or newer and npm: apt-get install nodejs npm"; exit 1; }
	cd web && npm ci --no-audit --no-fund --silent && npm run --silent build
	touch $@

$(STAMPS)/build: $(STAMPS)/run pyproject.toml $(RUST)
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --release --quiet
	touch $@
