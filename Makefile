# `make report` and `make test` set everything up on a machine with Python 3.12 or newer and make.

VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough: `python3` follows .python-version where pyenv is used.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo "$$p" && break; done)
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
READY := $(VENV)/.ready
CARD ?= exoplanets-k3
PINNED := uv pip compile pyproject.toml --universal --python-version 3.12 --generate-hashes \
	--no-emit-index-url --no-header --quiet
# Chains are the parallel unit: one thread each for BLAS and OpenMP.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
# Where an image forbids byte code, every process that a test starts compiles our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help report test test-slow test-long lint bench scaling engines docs lock clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

report: $(READY)  ## Fit the exoplanets with EM, Gibbs and NUTS and write reports/exoplanets-k3/index.html
	$(BIN)/gmmcompare compare $(CARD)

test: $(READY)  ## Run the tests, but for those that take long or a browser
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not browser"

test-slow: $(READY)  ## Run the rest: whole validations, clusters, NUTS, pages in Chromium (where there is one)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "(slow or browser) and not long"

test-long: $(READY)  ## Run the longest tests, before a release
	$(BIN)/python -m pytest -n 2 --dist loadfile -m long

lint: $(READY)  ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## Run the side-by-side timings and write reports/benchmarks.md
	$(BIN)/python -m tests.benchmarks

scaling: $(READY)  ## Measure data in partitions on Dask workers and write reports/scaling.md
	$(BIN)/python -m tests.benchmarks.scaling

engines: $(READY)  ## Install what the engines jags, numpyro and stan need; without it their tests are skipped
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python \
		--require-hashes -r requirements-engines.lock

docs: $(VENV)/.docs  ## Build the documentation site in docs/_build/html, running every example that has changed
	$(BIN)/python docs/_extensions/cards.py
	$(BIN)/python -m sphinx -W --keep-going --quiet -d docs/_build/doctrees docs docs/_build/html

lock:  ## Pin all dependencies, with hashes, in requirements.lock and its two companions
	$(BIN)/$(PINNED) --extra astro --extra dask --group dev --output-file requirements.lock $(LOCK_OPTIONS)
	$(BIN)/$(PINNED) --extra jags --extra numpyro --extra stan --constraint requirements.lock \
		--output-file requirements-engines.lock $(LOCK_OPTIONS)
	$(BIN)/$(PINNED) --extra docs --constraint requirements.lock \
		--output-file requirements-docs.lock $(LOCK_OPTIONS)

clean:  ## Remove the environment and caches
	rm -rf $(VENV) docs/_build .pytest_cache .mypy_cache .ruff_cache
	find gmmcompare tests -name __pycache__ -prune -exec rm -r {} +

$(VENV)/.docs: $(READY) requirements-docs.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python \
		--require-hashes -r requirements-docs.lock
	@touch $@

# uv installs the locked packages in seconds; pip does the same, slower, where uv cannot be had.
# Both compile them to byte code, which else every process would do that cannot write it.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: Python 3.12 or newer is needed and was not found" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)" \
		&& $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python \
			--require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
