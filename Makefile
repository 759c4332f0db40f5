# Two commands on a fresh machine: `make demo` and `make test`. Each sets itself up.
# The environment lives in .venv; uv lives inside it, so nothing is installed globally.
# PYTHON may name another interpreter (3.11 or newer).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Compiled once at set-up: importing torch and its kin from source takes several times as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test lint bench lock clean

setup: $(READY)

# One resolver, one index: uv takes torch and torchvision as a matching pair from the lock.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wsol needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirement requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/python -m wsol.evaluation.warm_up
	@touch $@

demo: setup
	$(BIN)/wsol demo --output demo

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python benchmarks/evaluator.py

lock:
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --extra dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) demo .pytest_cache .ruff_cache .import_linter_cache *.egg-info
