# Two commands are all a newcomer needs: `make testdrive` and `make test`.
VENV ?= .venv
PYTHON ?= /usr/bin/python3
# Tests side by side: of most a good part is waiting. Whole daemons: as many as there are cores.
JOBS ?= 3
DAEMONS ?= 2
SECONDS ?= 75
SEEDS ?= 125
SEED_FROM ?= 0 100000 200000 300000
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
PYTEST = $(BIN)/python -m pytest -q
PACKAGES = scripts/debian-packages.sh

# PROGRAM=PACKAGE: what the tests run besides Python. The -core package of MariaDB brings the server without a service.
TOOLS = git=git ssh-keygen=openssh-client sshd=openssh-server busybox=busybox rsync=rsync sudo=sudo named=bind9 prometheus=prometheus promtool=prometheus
DATABASE_TOOLS = mariadbd=mariadb-server-core mariadb-dump=mariadb-client
FAULT_TOOLS = pgrep=procps mount=mount strace=strace libfaketime
LAB_TOOLS = ip=iproute2 unshare=util-linux mmdebstrap=mmdebstrap

.DEFAULT_GOAL := help
.PHONY: help setup tools lab-tools check test simulate fuzz faults test-daemon test-lab test-openstack testdrive verify generate bench clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(PACKAGES) python3-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --disable-pip-version-check -e '.[dev,testdrive]'
	@touch $@

setup: $(STAMP) ## Make the virtual environment

tools:
	@$(PACKAGES) $(TOOLS) $(DATABASE_TOOLS)

lab-tools:
	@$(PACKAGES) $(LAB_TOOLS)

testdrive: $(STAMP) ## See a real Keystone advance, fail and come back on this machine
	@test "$$(id -u)" != 0 || $(PACKAGES) $(TOOLS) $(DATABASE_TOOLS)
	$(BIN)/reconciler testdrive $(ARGS)

test: $(STAMP) tools ## All tests but those of whole daemons, of the lab and of OpenStack; none may be skipped
	$(PYTEST) -n $(JOBS) -m "not daemon and not lab and not openstack"

simulate: $(STAMP) ## Live SEEDS lives of the daemon from SEED_FROM on, with faults, in virtual time
	@for first in $(SEED_FROM); do $(BIN)/python -m tests.simulation --seeds $(SEEDS) --from $$first || exit 1; done

fuzz: $(STAMP) ## Fuzz what reads from outside, for SECONDS in all; an input that breaks something is kept in tests/fuzz/found
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/pip install -qq --disable-pip-version-check -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

faults: $(STAMP) tools ## Kill a real daemon, its hosts, database and disks in mid-leg; CASES=WORDS chooses, FULL=1 kills at every boundary
	@$(PACKAGES) $(FAULT_TOOLS)
	$(BIN)/python -m tests.faults --jobs $(DAEMONS) $(if $(FULL),--full) $(CASES)

test-daemon: $(STAMP) tools ## Tests of whole daemons with real sshd, git, databases and Prometheus, from commit to commit
	$(PYTEST) -n $(DAEMONS) -m daemon tests/integration/daemon

test-lab: $(STAMP) tools lab-tools ## Tests on three real hosts with systemd, on this machine (root, Debian)
	@$(BIN)/python -m tests.lab.image
	$(PYTEST) -m lab tests/lab

test-openstack: $(STAMP) tools ## Tests with the real code of OpenStack on MariaDB
	$(PYTEST) -m openstack

check: $(STAMP) ## Lint, types, import direction and the fast tests
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(PYTEST) -n $(JOBS) -m "not integration and not lab and not openstack"

generate: $(STAMP) ## Write schemas and reference pages anew from the code
	$(BIN)/python -m scripts.generate_schemas
	$(BIN)/python -m scripts.generate_reference

verify: generate ## Fail when something generated differs from what is committed
	@git diff --exit-code -- schemas docs || { echo "run make generate and commit what it writes"; exit 1; }
	@new=$$(git ls-files --others --exclude-standard -- schemas docs); \
	test -z "$$new" || { echo "generated, but not committed: $$new"; exit 1; }

bench: $(STAMP) tools ## Print what things cost; decides nothing
	@for each in $(basename $(notdir $(wildcard benchmarks/[a-z]*.py))); do $(BIN)/python -m benchmarks.$$each || exit 1; done

clean: ## Remove what was made here; caches outside this folder stay
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
