# `make demo` and `make test` do all the set-up themselves; an existing .venv is used as it is.
VENV ?= .venv
PYTHON ?= python3.11
# Empty: runs/demo-$(DATA), where an earlier demo is replaced; a folder that is named has to be new.
OUT ?=
DATA ?= air
# Two workers with one thread each: networks this small gain nothing from more threads.
PYTEST_FLAGS ?= -n 2

PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt
CODE := src tests $(wildcard benchmarks examples scripts)

.PHONY: help demo test format lint types unit clean

help:
	@echo "make demo    train on bundled data, print the table, write $(or $(OUT),runs/demo-$(DATA))/report.html"
	@echo "make test    format check, lint, types, tests"
	@echo "make format  rewrite the code in the project's format"
	@echo "make clean   remove caches and demo runs (.venv stays; delete it by hand)"

demo: $(VENV)/.base-installed
	$(VENV)/bin/superpose demo $(DATA) $(if $(OUT),--out $(OUT))

test: lint types unit

lint: $(VENV)/.dev-installed
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m ruff check $(CODE)

types: $(VENV)/.dev-installed
	$(PY) -m mypy

unit: $(VENV)/.dev-installed
	OMP_NUM_THREADS=1 $(PY) -m pytest $(PYTEST_FLAGS)

format: $(VENV)/.dev-installed
	$(PY) -m ruff format $(CODE)
	$(PY) -m ruff check --fix $(CODE)

# Order-only where it is a prerequisite: a newer interpreter is no reason to install again.
$(PY):
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: $(PYTHON) was not found; install Python 3.11 or newer, or say make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV) || { \
	  echo "make: the venv module is missing or broken; on Debian: apt-get install python3.11-venv"; rm -rf $(VENV); exit 2; }

# torch goes first and alone, so that pip takes a CPU build where its sources offer one.
$(VENV)/.base-installed: pyproject.toml constraints.txt | $(PY)
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip --upgrade >/dev/null
	$(PIP) torch
	$(PIP) -e .
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.base-installed
	$(PIP) -e '.[dev]'
	@touch $@

clean:
	rm -rf runs build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks examples scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
