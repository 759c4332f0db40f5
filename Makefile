# Two commands on a fresh machine: `make demo` and `make test`. Each sets itself up.
# The environment lives in .venv; uv lives inside it, so nothing is installed globally.
# PYTHON may name another interpreter (3.11 or newer).
# `make docs` builds the site; `make test-lowest` runs the suite on the oldest versions allowed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOWEST := .venv-lowest
SITE := site
# Compiled once at set-up: importing torch and its kin from source takes several times as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-lowest lint docs bench lock clean

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

# A second environment, so that the first keeps its locked versions.
test-lowest: $(LOWEST)/.ready
	$(LOWEST)/bin/python -m pytest $(TESTS)

$(LOWEST)/.ready: pyproject.toml | $(READY)
	$(PYTHON) -m venv --clear $(LOWEST)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(LOWEST)/bin/python --resolution lowest-direct --editable ".[test]"
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# Warnings are errors, and nothing on a page may be loaded from elsewhere.
docs: $(VENV)/.docs
	$(BIN)/python docs/generate --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir $(SITE)
	@if grep -rlE '<(script|link|img|iframe)[^>]+(src|href)="?(https?:)?//' $(SITE) --include='*.html' \
	    || grep -rlE 'url\(.?(https?:)?//' $(SITE) --include='*.css'; \
	then echo "these load something from elsewhere"; exit 1; fi

# Constrained by the lock: what the suite runs on stays as it is.
$(VENV)/.docs: $(READY)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock --editable ".[docs]"
	@touch $@

bench: setup
	$(BIN)/python benchmarks/evaluator.py

lock:
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --extra dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) $(LOWEST) $(SITE) demo .pytest_cache .ruff_cache .import_linter_cache *.egg-info
