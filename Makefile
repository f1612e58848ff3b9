# `make run` starts everything for practice, `make help` lists the rest.
# VENV and PYTHON can be set: make test VENV=.venv313 PYTHON=python3.13
SHELL := bash
.DEFAULT_GOAL := run
.ONESHELL:
.SHELLFLAGS := -euc
.PHONY: run test faults mutations bench-sending bench-drafting bench-radar bench-history check format lock clean help
.SILENT:
.DELETE_ON_ERROR:

VENV ?= .venv
PYTHON ?=
ARGS ?=
# What `make lock` does to pins that still fit: make lock LOCK_ARGS= keeps them.
LOCK_ARGS ?= --upgrade
# Tests wait more than they work: six at a time keep two cores busy.
AT_ONCE ?= 6
BIN := $(VENV)/bin
# Wheels only: a source package would fetch build tools that no hash covers.
PIP_INSTALL := $(BIN)/python -m pip install -qq --no-input --disable-pip-version-check --only-binary :all: --require-hashes
# The tests start hundreds of processes; each would compile every module again.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/bytecode
# Nothing from a real installation may reach tests and checks.
APART := MAILOPS_ENV_FILE=/dev/null
TEMPLATES := find . \( -path './.*' -o -name site-packages \) -prune -o -name '*.html' -path '*/templates/*' -print0

run: $(VENV)/.base ## start everything for practice: web, worker, practice vendors
	exec $(BIN)/python -m mailops.supervisor

test: $(VENV)/.test ## run the tests, six at a time: make test ARGS="tests/orders -x -n 0"
	data=$$(mktemp -d)
	trap 'rm -rf "$$data"' EXIT
	export CHROMIUM FAKETIME_LIBRARY
	CHROMIUM=$$(.ci/chromium $(BIN)/python)
	FAKETIME_LIBRARY=$$(.ci/faketime)
	$(APART) MAILOPS_LIVE=0 MAILOPS_DATA="$$data" $(BIN)/python -m pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder $(ARGS)

faults: $(VENV)/.test ## try to make MailOps buy twice or lose an order, and print how each drill ended
	data=$$(mktemp -d)
	trap 'rm -rf "$$data"' EXIT
	export FAKETIME_LIBRARY
	FAKETIME_LIBRARY=$$(.ci/faketime)
	$(APART) MAILOPS_LIVE=0 MAILOPS_DATA="$$data" $(BIN)/python -m pytest -n $(AT_ONCE) --dist loadfile $(ARGS) tests/faults

bench-sending: $(VENV)/.base ## how fast confirmed orders are sent: make bench-sending ARGS="--orders 400 --workers 2,4,8"
	$(APART) $(BIN)/python -m tests.bench.sending $(ARGS)

bench-drafting: $(VENV)/.test ## how fast a file becomes a saved draft: make bench-drafting ARGS="--rows 5000"
	$(APART) $(BIN)/python -m tests.bench.drafting $(ARGS)

bench-radar: $(VENV)/.test ## how fast a draft is compared with all domains: make bench-radar ARGS="--rows 5000"
	$(APART) $(BIN)/python -m tests.bench.radar $(ARGS)

bench-history: $(VENV)/.test ## what the history costs, how fast it verifies and opens: make bench-history ARGS="--events 1000000"
	$(APART) $(BIN)/python -m tests.bench.history $(ARGS)

mutations: $(VENV)/.test ## break the code on purpose, one way at a time: a test must notice each
	$(BIN)/python -m tests.faults.mutations

check: $(VENV)/.check ## format, lint, types, layers, known holes, templates, migrations, production settings
	data=$$(mktemp -d)
	trap 'rm -rf "$$data"' EXIT
	export $(APART) MAILOPS_DATA="$$data"
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python .ci/audit
	$(TEMPLATES) | xargs -0r $(BIN)/djade --check --target-version 5.2
	MAILOPS_LIVE=0 $(BIN)/python manage.py makemigrations --check --dry-run
	MAILOPS_LIVE=1 SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	MAILOPS_SEAL_KEYS=$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	ALLOWED_HOSTS=mailops.example.com DATABASE_URL=postgres://mailops:x@127.0.0.1:9/mailops \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(VENV)/.check ## format code and templates, apply safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(TEMPLATES) | xargs -0r $(BIN)/djade --target-version 5.2 || true  # it fails when it had to mend something

lock: $(BIN)/python ## resolve pyproject.toml's dependencies again, on the oldest Python we support
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Locks are made with Python 3.11: make lock VENV=.venv311 PYTHON=python3.11")'
	$(BIN)/python -m pip install -qq --no-input --disable-pip-version-check 'pip-tools>=7.5,<8'
	compile() {
	    $(BIN)/python -m piptools compile --quiet $(LOCK_ARGS) --no-header --generate-hashes --strip-extras --allow-unsafe \
	        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	        --output-file requirements/$$1.txt "$${@:2}" pyproject.toml
	}
	compile base
	compile test --extra test --constraint requirements/base.txt
	compile check --extra test --extra check --constraint requirements/test.txt

clean: ## remove the virtual environment and caches; your data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

help:
	sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 20

$(BIN)/python:
	python=$$(.ci/python $(PYTHON))
	"$$python" -m venv --clear $(VENV)

# A stamp a lock: installed again only when the lock changed.
$(VENV)/.%: requirements/%.txt | $(BIN)/python
	echo "Installing requirements/$*.txt …"
	$(PIP_INSTALL) -r $<
	touch $@
