# Two commands do everything, set-up included: `make run` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
WORKSPACE ?= workspace
# A browser is opened where there is a screen to show it; else the address is printed.
HEADLESS := $(if $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname))),false,true)
# One worker more than cores, for the browser tests wait much; these come first. A file stays with one worker, which
# shares its fixtures.
PYTEST := PYTHONHASHSEED=0 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
# Many tests start programs of their own, which compile no file twice.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run test lint format texts coverage unit browser bench clean

help:
	@echo "make run      set up and open the dashboard (PORT=$(PORT), WORKSPACE=$(WORKSPACE))"
	@echo "make test     set up, check and test everything, a real browser included"
	@echo "make lint     style, types and the import rule"
	@echo "make format   format the code"
	@echo "make texts    bring the catalogue of texts in step with the code"
	@echo "make coverage  run the tests and show which lines they reach"
	@echo "make bench    measure page times (see benchmarks/)"

$(VENV)/.base: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, found: $$($(PYTHON) --version 2>&1). Try: make run PYTHON=python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements-dev.txt
	@echo "Setting up the development tools ..."
	@$(PIP) install -r requirements-dev.txt -c constraints.txt
	@touch $@

run: $(VENV)/.base
	TABNET_WORKSPACE="$(WORKSPACE)" $(BIN)/python -m streamlit run app.py \
	  --server.port $(PORT) --server.headless $(HEADLESS) --server.showEmailPrompt false

# What waits for a download or a browser leaves a core to what computes.
test:
	@$(MAKE) --no-print-directory --jobs=2 $(VENV)/.dev browser
	@$(MAKE) --no-print-directory --jobs=2 unit lint

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

texts: $(VENV)/.base
	$(BIN)/python -m tabnet_engine.texts.translating

unit: $(VENV)/.dev browser
	$(PYTEST) -q

# Tracing every line takes half as long again, so this is no part of `make test`.
coverage: $(VENV)/.dev browser
	$(PYTEST) --cov --cov-report=term -q

browser:
	@.ci/browser

bench: $(VENV)/.dev browser
	$(BIN)/python benchmarks/pages.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
