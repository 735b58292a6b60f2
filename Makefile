# Two commands to begin with: `make demo` and `make test`. Another Python: `make test PYTHON=python3.13`.
# The virtual environment in .venv belongs to this file: it is made anew when pyproject.toml or the Python changes.

PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/ready-$(shell $(PYTHON) -c 'import sys; print(sys.implementation.cache_tag)')

.PHONY: demo test check generated clean

demo: $(READY)
	$(BIN)/outlast run the-job-outlives-its-user

test: $(READY)
	$(BIN)/python -m pytest -q

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

generated: $(READY)
	$(BIN)/outlast schema > .venv/schema.json
	mv .venv/schema.json specs/schema.json
	$(BIN)/outlast schema --tables > .venv/schema.json
	mv .venv/schema.json specs/conformance-schema.json
	$(BIN)/outlast draw $(patsubst %/system.yaml,%,$(wildcard specs/*/system.yaml)) -o diagrams

clean:
	rm -rf .venv dist .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Outlast needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv (this once: half a minute or so) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[all,dev]'
	@touch $@
