# Everything a contributor runs. CI runs the same names. `make help` lists them.

VENV := .venv
BIN := $(VENV)/bin

# What a target needs installed.
DEMO_EXTRAS := render
TEST_EXTRAS := render,relay,test
DEV_EXTRAS := render,relay,test,dev

# More for pytest: make test ARGS="-k routing -x"
ARGS ?=

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo test lint format golden render-check bench bench-relay bench-outpost programs constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## render the example stack into a scratch folder and look around in it
	@.ci/environment $(DEMO_EXTRAS)
	@.ci/demo

test: ## run all tests; those that need a missing program are skipped with the reason (ARGS: more for pytest)
	@.ci/environment $(TEST_EXTRAS)
	$(BIN)/python -m pytest $(ARGS)

lint: ## ruff, formatting, mypy
	@.ci/environment $(DEV_EXTRAS)
	@failed=0; for check in "ruff check ." "ruff format --check ." mypy; do \
	  echo "$(BIN)/$$check"; $(BIN)/$$check || failed=1; done; exit $$failed

format: ## what ruff can fix, and formatting
	@.ci/environment $(DEV_EXTRAS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

render-check: ## rendered/ is what stack.yaml renders to, and the stack has no findings
	@.ci/environment $(DEMO_EXTRAS)
	$(BIN)/homelabmon render --check
	$(BIN)/homelabmon check

golden: ## write every checked-in output anew: rendered/, tests/stacks/*/rendered/, snapshots
	@.ci/environment $(TEST_EXTRAS)
	$(BIN)/homelabmon render
	@set -e; for stack in $(sort $(wildcard tests/stacks/*/stack.yaml)); do \
	  echo "$(BIN)/homelabmon render --stack $$stack"; $(BIN)/homelabmon render --stack "$$stack"; done
	$(BIN)/python -m pytest --snapshot-update $(ARGS)

bench: ## time whole commands beside a peer's (ARGS: --runs N, names of cases)
	@.ci/environment $(DEV_EXTRAS)
	$(BIN)/python -m tests.bench $(ARGS)

bench-relay: ## the relay under load (ARGS: --peer NAME=COMMAND for another bridge, names of scenarios)
	@.ci/environment $(DEV_EXTRAS)
	$(BIN)/python -m tests.bench.relay $(ARGS)

bench-outpost: ## the outpost with 10,000 heartbeats (ARGS: --runs N, names of cases)
	@.ci/environment $(DEV_EXTRAS)
	$(BIN)/python -m tests.bench.outpost $(ARGS)

programs: ## put promtool, prometheus, alertmanager, caddy, docker-compose and axe-core into .tools/ (Debian, Ubuntu; no root)
	@.ci/programs

constraints: ## write .ci/constraints.txt anew, with the newest versions allowed
	@.ci/constraints

clean: ## remove what make and the tools made
	rm -rf $(VENV) .tools build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find homelabmon tests -name __pycache__ -type d -prune -exec rm -rf {} +
