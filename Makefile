# `make report` and `make test` do all the set-up; the rest is for every day.
PYTHON ?= python3
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
PARAMS ?= params.yaml
PYTEST := OMP_NUM_THREADS=1 python -m pytest -n 2 --dist loadgroup --durations=25 --ignore=tests/slurm
MKDOCS := NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict

.PHONY: help report test test-all test-slurm lint format docs mlflow record pull plan bench slurm-check resume lock clean-environment

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

report: $(VENV)/ready  ## run the study of params.yaml to report.html
	$(RUN) snakemake --config params=$(PARAMS) -- report.html
	@echo "Read $(CURDIR)/report.html"

test: $(VENV)/ready-to-test  ## the tests: what they leave out is whole studies, in dozens
	$(RUN) $(PYTEST) -m "not long"

test-all: test  ## the tests, and those of whole studies; all but those of a cluster
	$(RUN) $(PYTEST) -m long

test-slurm: $(VENV)/ready-to-test  ## studies and faults on a real SLURM of this machine's own (tests/slurm/install.sh)
	$(RUN) OMP_NUM_THREADS=1 python -m pytest --durations=10 tests/slurm

lint: $(VENV)/ready-to-test  ## what CI checks of style
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) snakefmt --check Snakefile
	$(RUN) snakemake --lint
	$(RUN) lint-imports
	$(RUN) mypy
	$(RUN) $(MKDOCS)

format: $(VENV)/ready-to-test  ## put code into the project's form
	$(RUN) ruff check --fix
	$(RUN) ruff format
	$(RUN) snakefmt Snakefile

docs: $(VENV)/ready-to-test  ## the documentation as a site, site/index.html, with the architecture drawn anew
	$(RUN) python docs/architecture_picture.py
	$(RUN) $(MKDOCS)
	@echo "Read $(CURDIR)/site/index.html"

mlflow: $(VENV)/ready  ## the MLflow UI on localhost
	$(RUN) mimic mlflow

record: $(VENV)/ready  ## have DVC version what snakemake made
	$(RUN) mimic record

pull: $(VENV)/ready  ## bring a colleague's results, every digest checked
	$(RUN) mimic pull

plan: $(VENV)/ready  ## what the study will cost
	$(RUN) mimic plan --params $(PARAMS)

bench: $(VENV)/ready  ## how fast it is here, against the machine's peak and the field's way (ARGS="--quick")
	@$(RUN) OMP_NUM_THREADS=1 python -m benchmarks $(ARGS)

slurm-check: $(VENV)/ready  ## what a SLURM cluster lacks
	$(RUN) mimic slurm-check

resume: $(VENV)/ready  ## go on through SLURM after snakemake died
	$(RUN) mimic resume -- --profile slurm report.html --config params=$(PARAMS)

$(VENV)/ready: envs/requirements.lock pyproject.toml src/mimic/nets/pooling_kernel.c
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
	$(RUN) UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --universal --python-version 3.11 pyproject.toml --extra test --extra lint --extra docs -c envs/requirements.lock -o envs/requirements-test.lock

clean-environment:  ## remove the virtual environment
	rm -rf $(VENV)
