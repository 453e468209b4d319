# Two commands are all a newcomer needs: `make testdrive` and `make test`.
VENV ?= .venv
PYTHON ?= /usr/bin/python3
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: help
help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install -q --disable-pip-version-check -e '.[dev,testdrive]'
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Make the virtual environment

.PHONY: check
check: $(STAMP) ## Lint, types, import direction and the fast tests
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 -m "not integration and not lab and not openstack"

.PHONY: test-lab
test-lab: $(STAMP) ## Tests on three real hosts with systemd, on this machine (root, Debian)
	@$(BIN)/python -m tests.lab.image
	$(BIN)/python -m pytest -q -m lab tests/lab
