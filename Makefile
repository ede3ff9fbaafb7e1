# `make report` and `make test` do all the set-up; the rest is for every day.
PYTHON ?= python3
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
PARAMS ?= params.yaml

.PHONY: help report test lint format mlflow lock clean-environment

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

report: $(VENV)/ready  ## run the study of params.yaml to report.html
	$(RUN) snakemake --config params=$(PARAMS) -- report.html
	@echo "Read $(CURDIR)/report.html"

test: $(VENV)/ready-to-test  ## the tests
	$(RUN) OMP_NUM_THREADS=1 python -m pytest -n 2 --dist loadfile

lint: $(VENV)/ready-to-test  ## what CI checks of style
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) snakefmt --check Snakefile
	$(RUN) snakemake --lint

format: $(VENV)/ready-to-test  ## put code into the project's form
	$(RUN) ruff check --fix
	$(RUN) ruff format
	$(RUN) snakefmt Snakefile

mlflow: $(VENV)/ready  ## the MLflow UI on localhost
	$(RUN) python -m mimic mlflow

$(VENV)/ready: envs/requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mimic needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --require-virtualenv --requirement envs/requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/ready-to-test: $(VENV)/ready envs/requirements-test.lock
	$(VENV)/bin/python -m pip install --quiet --require-virtualenv --requirement envs/requirements-test.lock
	touch $@

lock: $(VENV)/ready-to-test  ## pin the packages anew
	$(RUN) UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --universal --python-version 3.11 pyproject.toml -o envs/requirements.lock
	$(RUN) UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --universal --python-version 3.11 pyproject.toml --extra test --extra lint -c envs/requirements.lock -o envs/requirements-test.lock

clean-environment:  ## remove the virtual environment
	rm -rf $(VENV)
