# Two commands are enough on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

# Whoever forbids byte code makes every process compile every library at every start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast e2e check fix bench faults chain words migration

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# --no-deps: the lock is complete, and older pips prefer a newer release of a package asked for with an extra over the pinned one.
setup: $(STAMP) ## Install everything into .venv, pinned by requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install -q --compile-bytecode --python $(BIN)/python --no-deps --require-hashes -r requirements.lock && \
	  uv pip install -q --compile-bytecode --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

demo: setup ## A living ward on this machine: prints its address and how to sign in (DATA=DIR replays recordings)
	@$(BIN)/silverwatch demo $(if $(DATA),--replay $(DATA)) $(ARGS)

test: setup ## All tests but the browser's
	$(BIN)/python -m pytest -n auto -m "not e2e" $(ARGS)

test-fast: setup ## Unit tests only: no database, no processes
	$(BIN)/python -m pytest tests/unit tests/web/test_templates.py $(ARGS)

e2e: setup ## A real browser against the running demo
	$(BIN)/python -m pytest -m e2e tests/e2e $(ARGS)

check: setup ## Formatting, lint, types, import directions, dependencies, templates, table of access
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry silverwatch api
	$(BIN)/djlint --lint --quiet silverwatch/templates
	$(BIN)/python -m pytest tests/security/test_access.py -k listed

fix: setup ## Repair what the checks can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Benchmarks, each in one run against a reference; prints a table with ratios
	$(BIN)/python -m benchmarks $(ARGS)

faults: setup ## Kill every process many times under load and compare what was acknowledged with what is stored
	$(BIN)/python -m benchmarks.faults $(ARGS)

chain: setup ## Kill each part, and pairs, at each point from a breach to the people; a backlog; a channel that is down
	$(BIN)/python -m benchmarks.chain $(ARGS)

words: setup ## Bring the catalogues of the interface's languages up to date; then translate what is empty
	PYTHONPATH=. $(BIN)/pybabel -q extract -F babel.cfg --no-wrap --add-location file -o $(VENV)/words.pot silverwatch
	$(BIN)/pybabel -q update -i $(VENV)/words.pot -d silverwatch/translations --no-fuzzy-matching --no-wrap --ignore-obsolete --ignore-pot-creation-date

migration: setup ## Write a migration from the models: make migration NAME="what it does"
	$(BIN)/silverwatch make-migration "$(NAME)"
