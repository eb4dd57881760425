# `make demo` and `make test` do everything on a fresh machine: they need Python 3.11 or newer, nothing else.
PYTHON ?= python3
BIN := .venv/bin
SERVERS := mysql kafka elasticsearch
LANES := 3

.PHONY: setup demo test check check-pythons search-servers differential handover conformance bench clean services-stop

setup: .venv/ready

.venv/ready: requirements-dev.lock pyproject.toml $(wildcard cdc/native/*.[ch])
	@$(PYTHON) -m scripts.setup

demo: setup
	@$(BIN)/python -m services start demo mysql elasticsearch
	@$(BIN)/python -m scripts.demo

# Fresh data every time: what one run leaves behind must not help the next. Each lane has databases of its own.
test: setup
	@$(BIN)/python -m services wipe test
	@scripts/check
	@$(BIN)/python -m services start test
	@eval "$$($(BIN)/python -m services env test)" && \
	  $(BIN)/python -m pytest -n $(LANES) --dist loadscope --no-loadscope-reorder --durations 60 --durations-min 5 tests/contract tests/server; \
	  code=$$?; $(BIN)/python -m services wipe test; exit $$code

check: setup
	@scripts/check

# The other Pythons that are supported, by the names they have here: make check-pythons PYTHONS="python3.12 python3.14"
PYTHONS ?= python3.12 python3.13 python3.14
check-pythons:
	@for python in $(PYTHONS); do scripts/check-python $$python || exit 1; done

# The tests of the Elasticsearch sink on the other servers it writes to; each is fetched once and runs for its tests.
# The data streams of 7.17 are in a part of it that no package registry has.
# Those of security run on an OpenSearch and an Elasticsearch for which the registry has it.
search-servers: setup
	@TAILRACE_SEARCH="opensearch2 opensearch3" $(BIN)/python -m pytest tests/server/test_elasticsearch.py \
	  -k "not outlive_a_topic"
	@TAILRACE_SEARCH=elasticsearch7 $(BIN)/python -m pytest tests/server/test_elasticsearch.py \
	  -k "not outlive_a_topic and not data_stream"
	@$(BIN)/python -m pytest tests/search

# Debezium beside Tailrace on random schemas, DDL and rows: make differential SEEDS=1-200, or one seed again: SEEDS=17
# OPTIONS="--shrink 120" leaves out the statements that do not matter; OPTIONS=--mariadb and OPTIONS=--postgres run on
# MariaDB and PostgreSQL.
SEEDS ?= 1-40
differential: setup
	@$(BIN)/python -m services wipe differential mysql mariadb postgres kafka
	@$(BIN)/python -m services start differential mysql mariadb postgres kafka
	@eval "$$($(BIN)/python -m services env differential)" && $(BIN)/python -m tests.differential $(SEEDS) $(OPTIONS); \
	  code=$$?; $(BIN)/python -m services wipe differential mysql mariadb postgres kafka; exit $$code

# A connector that goes from Debezium to Tailrace and back, under load: make handover OPTIONS="--legs 10"
handover: setup
	@$(BIN)/python -m services wipe differential mysql mariadb postgres kafka
	@$(BIN)/python -m services start differential mysql mariadb postgres kafka
	@eval "$$($(BIN)/python -m services env differential)" && $(BIN)/python -m tests.differential.handover $(OPTIONS); \
	  code=$$?; $(BIN)/python -m services wipe differential mysql mariadb postgres kafka; exit $$code

# Recorded REST calls against a worker of ours and against a real Kafka Connect, which is fetched when it is missing;
# OPTIONS=--without-peer leaves that out.
conformance: setup
	@$(BIN)/python -m services start differential kafka
	@eval "$$($(BIN)/python -m services env differential)" && $(BIN)/python -m tests.conformance $(OPTIONS); \
	  code=$$?; $(BIN)/python -m services wipe differential kafka; exit $$code

# Tailrace beside Debezium: make bench, or make bench CASES="mysql-1000 elasticsearch" OPTIONS="--runs 3 --quick"
CASES ?=
BENCH_SERVERS = mysql postgres kafka $(if $(filter elasticsearch all,$(CASES)),elasticsearch)
bench: setup
	@$(BIN)/python -m services start bench $(BENCH_SERVERS)
	@$(BIN)/python -m bench $(CASES) $(OPTIONS)

services-stop:
	@for profile in demo test bench differential; do $(BIN)/python -m services stop $$profile; done

clean: services-stop
	@rm -rf .venv tailrace-data
