# `make demo` and `make test` do everything on a fresh machine: they need Python 3.11 or newer, nothing else.
PYTHON ?= python3
BIN := .venv/bin
SERVERS := mysql kafka elasticsearch

.PHONY: setup demo test check bench clean services-stop

setup: .venv/ready

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d: set PYTHON=" % sys.version_info[:2])'
	@echo "-> preparing .venv (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar=on --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@$(BIN)/python -m compileall -q .venv/lib cdc sinks connect_compat services scripts
	@touch $@

demo: setup
	@$(BIN)/python -m services start demo mysql elasticsearch
	@$(BIN)/python -m scripts.demo

# Fresh data every time: what one run leaves behind must not help the next.
test: setup
	@$(BIN)/python -m services wipe test $(SERVERS)
	@scripts/check
	@$(BIN)/python -m services start test $(SERVERS)
	@eval "$$($(BIN)/python -m services env test)" && $(BIN)/python -m pytest tests/contract tests/server; \
	  code=$$?; $(BIN)/python -m services wipe test $(SERVERS); exit $$code

check: setup
	@scripts/check

bench: setup
	@$(BIN)/python -m services start bench mysql kafka
	@$(BIN)/python -m bench

services-stop:
	@for profile in demo test bench; do $(BIN)/python -m services stop $$profile $(SERVERS); done

clean: services-stop
	@rm -rf .venv tailrace-data
