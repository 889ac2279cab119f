# `make` or `make help` lists the targets. `make` creates the virtual environment on first use, and again when
# the requirements change. PYTHON=/path/to/python3 selects the interpreter.

VENV := .venv
REQUIREMENTS := sandbox/requirements.txt report/requirements.txt lambda/layer/managed.txt lambda/layer/requirements.txt
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
# checkov needs other versions of packages that the tests use, so checkov has its own environment.
CHECKOV := .venv-checkov
CHECKOV_MADE := $(CHECKOV)/.made-3.3.30
SBOM := .venv-sbom
SBOM_MADE := $(SBOM)/.made-7.5.0
SANDBOX = PYTHONPATH=.:lambda/src $(VENV)/bin/python -m sandbox

# The functions' Python version comes first. For each version, the Makefile tries the PATH and pyenv. A command on
# the PATH can be a shim without a Python, so use the first command that runs and can create an environment.
PYTHONS := 3.13 3.12 3.11 3
PYENV := $(or $(PYENV_ROOT),$(HOME)/.pyenv)
CANDIDATES := $(foreach version,$(PYTHONS),python$(version) $(wildcard $(PYENV)/versions/$(version).*/bin/python))
USABLE := import sys, venv, ensurepip; assert sys.version_info >= (3, 11) and not sys.abiflags
PYTHON := $(shell for python in $(CANDIDATES); do "$$python" -c '$(USABLE)' 2>/dev/null && echo "$$python" && break; done)
MINOR := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# The names contain Python's version, so that another version gets a new environment.
VENV_MADE := $(VENV)/.made-$(MINOR)
# `make run` needs only these requirements, so a first run does not wait for the tests' requirements.
RUNS := $(VENV)/.made-runs-$(MINOR)

SOURCE ?= sample
TICKERS ?=
FORMAT ?= table
# If Python writes no byte code, each process compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE
# The environment passes these variables unchanged: make expands no `$`, and the shell interprets no quotes.
unexport QUERY SQL TICKER
export ASKED_QUERY := $(value QUERY)
export ASKED_SQL := $(value SQL)
export ASKED_TICKER := $(value TICKER)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: $(RUNS) ## Run one whole day on an AWS emulator and query the lake (SOURCE=live TICKERS=PETR4,HGLG11: the real site)
	@$(SANDBOX) run --source $(SOURCE) --tickers '$(TICKERS)'

.PHONY: up
up: $(RUNS) ## Run a day like `make run`, and leave the lake running for `make query`
	@$(SANDBOX) up --source $(SOURCE) --tickers '$(TICKERS)'

.PHONY: query
query: $(RUNS) ## Query the lake of `make up`: QUERY=formula-magica, SQL="SELECT …", or neither for names (FORMAT=csv|json, TICKER=VALE3)
	@$(SANDBOX) query --format '$(FORMAT)' --name "$$ASKED_QUERY" --ticker "$$ASKED_TICKER" -- "$$ASKED_SQL"

.PHONY: tables
tables: $(RUNS) ## List the tables, views and columns of the lake of `make up`
	@$(SANDBOX) tables

.PHONY: down
down: $(RUNS) ## Stop the lake of `make up`, and remove its data
	@$(SANDBOX) down

.PHONY: test
test: $(VENV_MADE) ## Run the tests: code, Terraform, and whole days on the emulator
	$(VENV)/bin/python -m pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder -m 'not full'

.PHONY: test-all
test-all: $(VENV_MADE) ## Run all tests, also the long ones: other dates, the oldest SDK, load (LEGS="load": only this leg)
	@$(VENV)/bin/python tests/legs.py $(LEGS)

.PHONY: seeds
seeds: $(VENV_MADE) ## Test N days with random order, repeated events and killed functions (N=1000)
	PYNVEST_SEEDS=$(or $(N),100) $(VENV)/bin/python -m pytest tests/unit/test_any_order.py

.PHONY: compat
compat: $(VENV_MADE) ## Apply, run a day and plan with the oldest supported and the newest Terraform (part of test-all)
	@$(VENV)/bin/python tests/legs.py terraform-1.6 terraform-1.15

# Phrases that are hard to read, in sentences and in names such as `test_a_day_of_before`.
MANNERED := '(^|[^a-z])(whoever|whence|of[ _]before|(is|are|be)[ _]told|nothing[ _]but|to[ _]be[ _]had)([^a-z]|$$)'

.PHONY: lint
lint: $(VENV_MADE) $(CHECKOV_MADE) ## Check style, types and security of Python and Terraform
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	terraform fmt -check -recursive -diff
	$(CHECKOV)/bin/checkov --directory .
	@! git grep -niE $(MANNERED) -- '*.py' '*.tf' '*.hcl' '*.md' '*.yml' || { echo "Write it plainly: subject, verb, object." >&2; exit 1; }

.PHONY: docs
docs: $(VENV_MADE) ## Rewrite docs/inputs.md and docs/indicadores.md from the code
	$(VENV)/bin/python docs/tables.py

.PHONY: bench
bench: $(RUNS) ## Measure one day: time, memory, requests, cost (BENCH="--acoes 1000 --fiis 450")
	@PYTHONPATH=.:lambda/src $(VENV)/bin/python -m sandbox.bench $(BENCH)

.PHONY: package
package: ## Build the Lambda packages into .build/packages, for machines that apply without pip
	python3 lambda/build.py --output .build/packages

.PHONY: sbom
sbom: $(SBOM_MADE) ## List the layer's contents, as CycloneDX, in .build/sbom.json
	@mkdir -p .build
	@$(SBOM)/bin/cyclonedx-py requirements lambda/layer/requirements.txt --output-reproducible --of JSON -o .build/sbom.json
	@echo .build/sbom.json

.PHONY: venv
venv: $(VENV_MADE)

$(VENV_MADE): $(RUNS) requirements-dev.txt
	@$(PIP) --no-compile -r requirements-dev.txt
	@touch $@

$(RUNS): $(REQUIREMENTS)
	@test -n "$(MINOR)" || { echo "No usable Python ($(PYTHONS)) on the PATH or in $(PYENV): install Python 3.13, which the" \
		"functions run on, with its venv and ensurepip modules (on Debian and Ubuntu: python3.13-venv), or name one that" \
		"you have, 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is Python $(MINOR), and this" \
		"needs 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making the virtual environment $(VENV) with $(PYTHON) ($(MINOR))"
	@$(VENV)/bin/python -c 'import sys; assert "%d.%d" % sys.version_info[:2] == "$(MINOR)"' 2>/dev/null || rm -rf $(VENV)
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes --no-deps -r lambda/layer/requirements.txt
	@# Most modules are never imported; the others are compiled at their first import.
	@$(PIP) --no-compile -r sandbox/requirements.txt
	@touch $@

$(SBOM_MADE):
	@rm -rf $(SBOM) && $(PYTHON) -m venv $(SBOM)
	@$(SBOM)/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
	@touch $@

$(CHECKOV_MADE):
	@echo "Making the virtual environment $(CHECKOV) with $(PYTHON)"
	@rm -rf $(CHECKOV) && $(PYTHON) -m venv $(CHECKOV)
	@$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check checkov==3.3.30
	@touch $@

.PHONY: clean
clean: ## Remove all files that the other targets made
	@if test -d .local -a -x $(VENV)/bin/python; then $(SANDBOX) down; fi
	rm -rf $(VENV) $(CHECKOV) $(SBOM) .local .build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . \( -name .terraform -o -name .terraform.lock.hcl \) -prune -exec rm -rf {} +
