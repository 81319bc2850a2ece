# Every verb of the project. Each sets up what it needs in .venv, silently the second time.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=

.PHONY: help demo test check fix bench constraints clean

help: ## Show the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[demo,dev]'
	@touch $@

demo: $(STAMP) ## Paper exchange, Redis, A and B, live (ARGS="--rounds 6 --json")
	@$(BIN)/lighter-hedge demo $(ARGS)

test: $(STAMP) ## All tests
	@$(BIN)/python -m pytest -q $(ARGS)

check: $(STAMP) ## Format, lint, types, structure
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_tidy.py

fix: $(STAMP) ## Format and mend what can be mended by machine
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) ## Fill to hedge: latency beside a floor and the plain way
	@$(BIN)/python -m benchmarks.hedge_latency $(ARGS)

constraints: ## Pin every dependency anew
	@$(BIN)/uv pip compile --quiet --universal --all-extras --python-version 3.11 --no-emit-index-url --no-header pyproject.toml -o constraints.txt

clean: ## Remove what the verbs have made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
