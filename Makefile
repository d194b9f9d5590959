# make start   set up, then run emulator and function app together until Ctrl-C
# make test    set up, then lint, type check and all tests
# make help    every command

PORT         ?= 7071
SERVICE_PORT ?= 8888
CONTROL_PORT ?= 8889

FUZZ_SECONDS ?= 60
SCHEDULES ?= 100000

# One more than two cores, since tests of servers wait now and then.
TEST_PROCESSES ?= 3

# Those that library and emulator promise to run on.
PYTHONS ?= python3.12 python3.13 python3.14

# python3.13 first, since python3 is an older one on many machines.
PYTHON ?= $(shell command -v python3.13 || command -v python3 || echo python3)

venv   := .venv/bin
python := $(venv)/python
javascript := tests/e2e emulator/tests/javascript
sphinx := $(python) -m sphinx --quiet --fail-on-warning --keep-going --fresh-env -c docs -d docs/_build/doctrees .
packages := demo $(javascript)
distributions := shared emulator funchost
checked := function_app.py events.py start.py set_up.py negotiate broadcast demo shared doctor funchost emulator tests bench load interop examples fuzz docs

# A lock for Linux, macOS and Windows, which says at its head how to renew it.
compile := UV_CUSTOM_COMPILE_COMMAND="make lock" $(venv)/uv pip compile \
  --quiet --universal --python-version 3.13 --annotation-style line
lowest  := .venv/lowest
install := $(venv)/uv pip install --quiet --python $(lowest)/bin/python

.PHONY: help start emulator doctor test lint unit dist bench bench-growth load chaos interop fuzz simulate simulate-keys docs docs-links lock licences lowest versions audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

start: .venv/ready ## Run emulator and function app until Ctrl-C (PORT, SERVICE_PORT, CONTROL_PORT; VERBOSE=1 shows all that they log)
	@$(python) start.py --port $(PORT) --service-port $(SERVICE_PORT) --control-port $(CONTROL_PORT) $(if $(filter-out 0,$(VERBOSE)),--verbose)

emulator: .venv/ready ## Run the emulator alone
	@$(python) start.py emulator --port $(PORT) --service-port $(SERVICE_PORT) --control-port $(CONTROL_PORT)

doctor: .venv/ready ## Check settings against their service, step by step (ARGS="--hub chat")
	@$(python) -m doctor $(ARGS)

test: lint unit ## Run all checks and tests

lint: .venv/ready ## Check style and types
	@$(venv)/ruff check $(checked)
	@$(venv)/ruff format --check --quiet $(checked) || { echo "Run: .venv/bin/ruff format" >&2; exit 1; }
	@$(venv)/mypy
	@$(venv)/mypy --python-version 3.12 emulator/src shared  # what their pyproject.toml promise

unit: .venv/ready demo/signalr.js $(javascript:%=%/node_modules/ready) ## Run the tests alone, in several processes (TEST_PROCESSES)
	@$(venv)/pytest --numprocesses $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder

dist: .venv/ready ## Build wheels and sdists of the library, the emulator and the local host
	@rm -rf dist
	@for folder in $(distributions); do (cd $$folder && $(CURDIR)/$(python) -m hatchling build --directory $(CURDIR)/dist) || exit 1; done

load: .venv/ready ## Put 2,000 clients on the app for ten minutes, have them renew their sign-ins at once, break server connections of an app server, and write docs/load.json, storm.json and server-connections.json (MINUTES, CLIENTS)
	@$(python) -m load steady $(CLIENTS:%=--clients %) $(MINUTES:%=--minutes %)
	@$(python) -m load storm $(CLIENTS:%=--clients %)
	@$(python) -m load server-connections $(CLIENTS:%=--clients %) $(MINUTES:%=--minutes %)

chaos: .venv/ready ## The same under every fault, and write docs/chaos.json
	@$(python) -m load chaos

interop: .venv/ready ## Run SignalR clients of many languages against the app, and renew docs/clients.md (CLIENTS="javascript python")
	@$(python) -m interop $(CLIENTS)

simulate-keys: .venv/ready ## Drive the access key through SCHEDULES schedules of faults, in virtual time
	@$(python) -m tests.shared.keys.simulation --schedules $(SCHEDULES)

bench: .venv/ready ## Measure everything, and renew docs/performance.md; with AGAINST=COMMIT compare with that build instead (ARGS="--rows NAME,NAME")
	@$(python) -m bench $(AGAINST:%=--against %) $(ARGS)

bench-growth: .venv/ready ## Plot the emulator's costs up to 20,000 clients, 1,000 hubs and 100,000 memberships of groups
	@$(python) -m bench.growth $(ARGS)

fuzz: .venv/fuzz ## Look for inputs that break a parser (FUZZ_SECONDS for each way, FUZZ_TARGETS)
	@$(python) -m fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)

simulate: .venv/ready ## Renew the tables and plots of docs/scaling.md
	@$(python) -m bench.simulate

docs: .venv/ready ## Build the documentation as a site
	@$(python) -m docs.configuration
	@$(sphinx) docs/_build/html
	@echo "Open file://$(CURDIR)/docs/_build/html/index.html"

docs-links: .venv/ready ## Check the documentation's links to other sites, which needs a network
	@$(sphinx) -b linkcheck docs/_build/links

lock: .venv/ready ## Renew all locks with the newest versions, and the list of licences
	@sed '/^-c/d' requirements.txt | $(compile) --upgrade --output-file constraints.txt -
	@$(compile) --upgrade --generate-hashes --output-file requirements-dev.txt \
	  requirements.txt $(distributions:%=%/pyproject.toml) --all-extras --group dev
	@$(compile) --upgrade --generate-hashes --output-file requirements-fuzz.txt \
	  --group fuzz
	@for folder in $(packages); do (cd $$folder && npm update --package-lock-only --silent); done
	@$(MAKE) --no-print-directory licences

licences: .venv/ready ## Write docs/licences.md anew
	@$(python) -m docs.licences

lowest: .venv/ready demo/signalr.js $(javascript:%=%/node_modules/ready) ## Run the tests with the oldest versions that are allowed
	@$(venv)/uv venv --quiet --clear --python $(python) $(lowest)
	@$(install) --require-hashes -r requirements-dev.txt
	@$(install) --no-deps --no-build-isolation -e ./emulator
	@sed '/^-c/d' requirements.txt | $(compile) --resolution lowest-direct --output-file $(lowest)/app.txt -
	@$(install) -r $(lowest)/app.txt
	@$(lowest)/bin/pytest tests/app tests/shared tests/e2e/test_telemetry.py
	@$(compile) --resolution lowest-direct --output-file $(lowest)/funchost.txt funchost/pyproject.toml
	@$(install) -r $(lowest)/funchost.txt
	@$(lowest)/bin/pytest tests/funchost
	@$(compile) --resolution lowest-direct --output-file $(lowest)/emulator.txt emulator/pyproject.toml
	@$(install) -r $(lowest)/emulator.txt
	@$(lowest)/bin/pytest emulator/tests

versions: dist ## Run the tests of library and emulator with each Python that is there (PYTHONS)
	@for python in $(PYTHONS); do \
	  if ! $$python -c '' 2>/dev/null; then echo "$$python is not there, so nothing was run with it"; continue; fi; \
	  folder=.venv/versions/$$(basename $$python); \
	  echo "Testing with $$($$python --version) ..."; \
	  $(venv)/uv venv --quiet --clear --python $$python $$folder || exit 1; \
	  $(venv)/uv pip install --quiet --python $$folder/bin/python --group tests \
	    "$$(echo dist/keyless_signalr-*.whl)[functions]" dist/signalr_emulator-*.whl || exit 1; \
	  $$folder/bin/python -m pytest --quiet --numprocesses $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder tests/shared emulator/tests || exit 1; \
	done

audit: .venv/ready ## Ask for known vulnerabilities of all packages, which needs a network
	@$(venv)/uv tool run pip-audit==2.10.1 --strict --require-hashes --disable-pip -r requirements-dev.txt
	@for folder in $(packages); do (cd $$folder && npm audit) || exit 1; done

clean: ## Remove what set-up has made
	@rm -rf .venv dist .against-* $(packages:%=%/node_modules) demo/signalr.js .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz .interop docs/_build

.venv/ready: requirements-dev.txt emulator/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null || { \
	  echo "Python 3.13 or newer is needed, and $(PYTHON) is $$($(PYTHON) --version 2>&1). Name one: make $(or $(MAKECMDGOALS),start) PYTHON=/path/to/python3.13" >&2; exit 1; }
	@$(PYTHON) set_up.py environment

.venv/fuzz: requirements-fuzz.txt .venv/ready
	@echo "Setting up the fuzzer (once) ..."
	@$(python) -m pip install --quiet --require-hashes -r requirements-fuzz.txt
	@touch $@

demo/signalr.js: demo/node_modules/ready
	@cp demo/node_modules/@microsoft/signalr/dist/browser/signalr.js $@

%/node_modules/ready: %/package.json %/package-lock.json
	@$(PYTHON) set_up.py packages $*
