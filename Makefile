# The verbs of the README. Only Python 3.11 to 3.13 and make are needed beforehand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed

.PHONY: demo serve test test-all test-fast test-pythons lint format docs gallery dist bench clean

# Two studies on scikit-learn's bundled digits: a grid and a TPE search, each with its report.
demo: $(STAMP)
	$(BIN)/sweep run digits-grid
	$(BIN)/sweep run digits-tpe

# Pages and an API over this checkout's ledger, with a worker on each core; Ctrl-C ends it.
serve: $(STAMP)
	$(BIN)/sweep serve

# The fast tests first; then those that train real models, and those that open a browser. Two at a time.
test: $(STAMP)
	$(BIN)/pytest -q -n 2 -m "not tensorflow and not browser and not long"
	$(BIN)/pytest -q -n 2 --dist worksteal -m "(tensorflow or browser) and not long"

# These and the long ones (tests/long_tests.txt): before a release, by hand.
test-all: $(STAMP)
	$(BIN)/pytest -q -n 2 -m "not tensorflow and not browser"
	$(BIN)/pytest -q -n 2 --dist worksteal -m "tensorflow or browser"

test-fast: $(STAMP)
	$(BIN)/pytest -q -n 2 -m "not tensorflow and not browser and not long"

# The fast tests under each Python that is here, each in an environment of its own (3 GB each). Others:
# make test-pythons PYTHONS="/opt/python3.12 /opt/python3.13"
PYTHONS ?= python3.11 python3.12 python3.13
test-pythons:
	@for python in $(PYTHONS); do \
	  "$$python" -c "" 2>/dev/null || { echo "$$python: not here"; continue; }; \
	  echo "== $$python"; \
	  $(MAKE) --no-print-directory test-fast PYTHON="$$python" VENV=".venv-$$(basename "$$python")" || exit 1; \
	done

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The two references of docs/ that the code writes.
docs: $(STAMP)
	$(BIN)/python docs/generate.py

# Every shipped study, its report, and the table of reports/README.md (a quarter of an hour on 2 cores).
gallery: $(STAMP)
	$(BIN)/python reports/gallery.py

# Wheel and sdist in dist/, and whether the package index would take them.
dist: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[release]"
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else "sweep needs Python 3.11 to 3.13, this is %d.%d; name another: make PYTHON=python3.11 ..." % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip uninstall --quiet --quiet --yes sweep  # what this project was called before
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $(STAMP)

# Our side and the peers', by hand, on a quiet machine; see benchmarks/RESULTS.md for what they need.
PEERS ?= peers/bin/python
bench: $(STAMP)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/bookkeeping.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/grid.py e6 --skorch --peer-python $(PEERS)
	$(BIN)/python benchmarks/grid.py e1d --peer-python $(PEERS)

clean:
	rm -rf $(VENV) .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .sweep
