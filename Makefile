# Every verb of the project. Each sets up what it needs in .venv, silently the second time.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 4
EXAMPLES ?= 10000
SEEDS ?= 0:5000
SEED ?= 0
ARGS ?=
CATALOGUES := $(wildcard src/lighter_hedge/locale/*/LC_MESSAGES/*.po)

.PHONY: help demo test check fix bench bench-paper bench-page bench-memory abuse calibration simulate world pythons mutants fuzz mutate conformance coverage properties chaos soak model constraints clean screenshots texts walk diagrams

help: ## Show the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
	@echo
	@echo 'ARGS goes to the verb: make demo ARGS="--rounds 6 --json", make test ARGS=tests/unit/domain'
	@echo 'PYTHON chooses the interpreter of a new .venv: make test PYTHON=python3.12'

# A half-made .venv, and one whose Python has gone, are made anew; changed pins are installed over the old ones.
$(STAMP): pyproject.toml constraints.txt $(CATALOGUES) $(wildcard src/lighter_hedge/locale/*/LC_MESSAGES/*.po)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || \
	  { echo '$(PYTHON) is missing or not Python 3.11 to 3.14: name another, make PYTHON=python3.12' >&2; exit 1; }
	@echo 'setting up $(VENV) ...' >&2
	@$(BIN)/python -c pass 2>/dev/null || rm -rf $(VENV)
	@test -x $(BIN)/uv || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps -c constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[demo,dev]'
	@touch $@

demo: $(STAMP) ## Paper exchange, Redis, A, B and the page on this machine, live; no keys
	@$(BIN)/lighter-hedge demo $(ARGS)

test: $(STAMP) ## All tests, on WORKERS=4 processes (0: in one)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

check: $(STAMP) ## Format, lint, types, shape of the repository
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_tidy.py

fix: $(STAMP) ## Format and mend what can be mended by machine
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) ## Fill to hedge: latency beside a floor and the plain way
	@$(BIN)/python -m benchmarks.hedge_latency $(ARGS)

calibration: $(STAMP) ## The synthetic market beside the recorded one: ARGS="--seconds 600 --seed 2"
	@$(BIN)/python -m tests.calibration $(ARGS)

bench-paper: $(STAMP) ## What the paper exchange takes: matching, transactions, 200 readers
	@$(BIN)/python -m benchmarks.paper_exchange $(ARGS)

bench-page: $(STAMP) ## What the page costs: bytes, time to load, CPU with four viewers
	@PYTHONPATH=. $(BIN)/python -m benchmarks.page $(ARGS)

bench-memory: $(STAMP) ## The paper exchange's memory over an hour of its own time and 20 minutes: ARGS="--seconds 3600 --json FILE"
	@$(BIN)/python -m benchmarks.paper_memory $(ARGS)

abuse: $(STAMP) ## The paper exchange against bad requests, bad messages, CLIENTS=1000, slow readers and a flood
	@ABUSE_CLIENTS=$(or $(CLIENTS),1000) ABUSE_EXAMPLES=$(or $(ABUSE_EXAMPLES),50) ABUSE_FRAMES=500000 ABUSE_SEED=$(SEED) \
	  $(BIN)/python -m pytest -q -s -p no:xdist tests/abuse $(ARGS)

walk: $(STAMP) ## A million random operations at the paper exchange, lots and money counted after each: ARGS="1000000 3"
	@PYTHONPATH=src:. $(BIN)/python -m tests.paper $(ARGS)

model: $(STAMP) ## Every state and every story of small worlds; spin and a C compiler for the first part
	@$(BIN)/python -m tests.model $(ARGS)

simulate: $(STAMP) ## Random worlds, SEEDS=first:last, on all cores; COMPILED=1 for long runs; ARGS="--seconds 3600 --json FILE"
	@$(BIN)/python -m tests.simulation$(if $(COMPILED),.compiled) many $(SEEDS) $(ARGS)

world: $(STAMP) ## One random world with its trace: SEED=n
	@$(BIN)/python -m tests.simulation world $(SEED) $(ARGS)

pythons: $(STAMP) ## The same seeds on every Python of this machine: the same traces; ARGS="--seeds 0:20"
	@$(BIN)/python -m tests.simulation.pythons $(ARGS)

mutants: $(STAMP) ## Planted bugs: the simulation must find each one; ARGS="--bugs a,b --worlds 1000 --json FILE"
	@$(BIN)/python -m tests.mutants $(ARGS)

fuzz: $(STAMP) ## Every parser on damaged input: ARGS="--seconds 600 --seed 2"
	@$(BIN)/python -m tests.fuzz.fuzz $(ARGS)

properties: $(STAMP) ## The properties, EXAMPLES=10000 of each (make test: 60)
	@PROPERTIES_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal tests/properties $(ARGS)

conformance: $(STAMP) ## The numbered cases against a venue that runs: CREDENTIALS=FILE ARGS="--only C013 --meet"
	@$(BIN)/python -m tests.conformance $(CREDENTIALS) $(ARGS)

coverage: $(STAMP) ## Every line and branch of domain/ by unit tests, scenarios and properties; below 100 % is a failure
	@$(BIN)/coverage run -m pytest -q tests/unit/domain tests/scenarios tests/properties
	@$(BIN)/coverage report

mutate: $(STAMP) ## Small changes to domain/, each to be seen by a unit test: ARGS="ledger pair"
	@$(BIN)/python -m tests.mutation.mutate $(ARGS)

chaos: $(STAMP) ## Kill real processes: KILLS=100 SEED=1 DESKS=3 JSON=FILE
	@$(BIN)/python -m tests.chaos.run --kills $(or $(KILLS),100) --seed $(or $(SEED),1) --desks $(or $(DESKS),3) \
	  $(if $(JSON),--json $(JSON)) $(ARGS)

soak: $(STAMP) ## One desk for a long time, what grows: SECONDS=3600 SEED=1 JSON=FILE
	@CHAOS_COLD=1 $(BIN)/python -m tests.chaos.soak --seconds $(or $(SECONDS),3600) --seed $(or $(SEED),1) \
	  $(if $(JSON),--json $(JSON)) $(ARGS)

diagrams: $(STAMP) ## Draw the state diagrams of docs/flow.md from what the machines do
	@PYTHONPATH=src:. $(BIN)/python -m tests.model.diagrams

LOCALE := src/lighter_hedge/locale
screenshots: $(STAMP) ## Pictures of the page for the documents; needs chromium
	@PYTHONPATH=. $(BIN)/python -m tests.browser.screenshots

texts: $(STAMP) ## Gather the texts that people read into the catalogues
	@mkdir -p build
	@$(BIN)/pybabel -q extract --no-location --sort-output --omit-header -k _ -o build/texts.pot src/lighter_hedge
	@$(BIN)/pybabel -q update --no-fuzzy-matching --omit-header --ignore-obsolete -D lighter_hedge -l zh_CN -w 110 -i build/texts.pot -d $(LOCALE)

constraints: $(STAMP) ## Pin every dependency anew in constraints.txt
	@$(BIN)/uv pip compile --quiet --universal --all-extras --python-version 3.11 --no-emit-index-url --no-header --upgrade pyproject.toml -o constraints.txt

clean: ## Remove what the verbs have made
	@rm -rf $(VENV) build/compiled .mypy_cache .ruff_cache .pytest_cache
