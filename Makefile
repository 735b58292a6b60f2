# Two commands to begin with: `make demo` and `make test`. Another Python: `make test PYTHON=python3.13`.
# The virtual environment in .venv belongs to this file: it is made anew when pyproject.toml or the Python changes.

PYTHON ?= python3
BIN    := .venv/bin
TAG    := $(shell $(PYTHON) -c 'import sys; print(sys.implementation.cache_tag)')
CORE   := .venv/core-$(TAG)
READY  := .venv/ready-$(TAG)

.PHONY: demo test check generated clean

demo: $(CORE)
	$(BIN)/outlast run the-job-outlives-its-user

test: $(READY)
	$(BIN)/python -m pytest -q --numprocesses auto --dist worksteal

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

generated: $(READY)
	$(BIN)/outlast schema > .venv/schema.json
	mv .venv/schema.json specs/schema.json
	$(BIN)/outlast schema --tables > .venv/schema.json
	mv .venv/schema.json specs/conformance-schema.json
	$(BIN)/outlast schema --audit > .venv/schema.json
	mv .venv/schema.json specs/audit-schema.json
	$(BIN)/outlast draw $(patsubst %/system.yaml,%,$(wildcard specs/*/system.yaml)) -o diagrams
	$(BIN)/python -m tests.bench --draw

clean:
	rm -rf .venv dist .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(CORE): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Outlast needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv (this once: a quarter of a minute or so) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

$(READY): $(CORE)
	@echo "Installing what the tests need (this once: a minute or so) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[all,dev]'
	@touch $@
