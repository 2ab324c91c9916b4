# `make demo` and `make test` need Python 3.11 or newer, make and a package index, and set up the rest themselves.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check docs format lint spelling types layers tests count lock clean

PYTHON ?= python3
BIN := .venv/bin
# Hundreds of processes are started by the tests, and where nothing is kept each of them compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
READY := .venv/.ready

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

# The stamp is newer than what it was made from, so a second run costs nothing.
$(READY): pyproject.toml requirements/constraints.txt scripts/setup
	@PYTHON=$(PYTHON) scripts/setup
	@touch $@

setup: $(READY) ## make .venv with every extra and tool

demo: $(READY) ## set everything up and watch sessions run
	@$(BIN)/sojourn demo

test: check ## set everything up and run every check; the same as `make check`

# Quick checks first, whatever -j says. The types take one core a minute, and the tests leave some of two idle.
check: $(READY) ## format, lint, spelling, layers, tests, types
	@$(MAKE) --no-print-directory -j1 lint spelling layers
	@$(BIN)/pyright >.venv/types.txt 2>&1 & types=$$!; \
	$(MAKE) --no-print-directory tests; tests=$$?; \
	wait $$types; types=$$?; cat .venv/types.txt; exit $$((tests | types))

docs: $(READY) ## write the pages that are made from the code
	@scripts/docs

format: $(READY) ## rewrite the code in the one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: $(READY) ## ruff, format and rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

spelling: $(READY) ## codespell
	@$(BIN)/codespell

types: $(READY) ## pyright, strict
	@$(BIN)/pyright

layers: $(READY) ## import-linter
	@$(BIN)/lint-imports --no-logo

# Tests mostly wait, for processes and databases, so three at a time fit on two cores.
tests: $(READY) ## pytest, three at a time
	@# Where nothing is compiled yet each of the three would compile it all, so one does that first.
	@test -d tests/__pycache__ || $(BIN)/pytest --collect-only -qq >/dev/null || true
	@$(BIN)/pytest -n 3 --dist worksteal

chaos: $(READY) ## kill a server 200 times and check what is left
	@$(BIN)/python -m tests.chaos --rounds 200

chaos-elsewhere: $(READY) ## the same with a worker over HTTP that dies, sleeps and loses its line
	@$(BIN)/python -m tests.chaos --rounds 100 --elsewhere

chaos-postgres: $(READY) ## the same with two servers of one Postgres, killed in turn
	@$(BIN)/python -m tests.chaos --rounds 100 --postgres --servers 2

race: $(READY) ## race clients, workers and time on both databases
	@$(BIN)/python -m tests.race --rounds 20000

bench: $(READY) ## measure every budget beside its floor
	@$(BIN)/python -m bench all

count: ## install the base in a fresh environment and count its packages
	@PYTHON=$(PYTHON) scripts/count

lock: ## pin the newest versions that pyproject.toml admits
	@PYTHON=$(PYTHON) scripts/lock

clean: ## remove .venv and caches
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache
