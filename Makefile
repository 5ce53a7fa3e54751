# Everything a person needs; each target does its own set-up. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo demo-real test test-real lint bench bench-recovery fuzz load observability hunt kill-campaign controls-real clean conformance conformance-record bench-reconcile load-scale

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 22

setup: $(READY) ## make the virtual environment in .venv

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Wavetank needs Python 3.11, 3.12 or 3.13; $(PYTHON) is {sys.version.split()[0]}. Try: make PYTHON=python3.11")'
	@echo 'making the virtual environment in .venv, once: half a minute'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## three runs: one that holds, one that loses nine deposits, one torn log
	$(BIN)/wavetank demo

demo-real: $(READY) ## the same three on real Kafka and Cassandra (Java 17 and Maven)
	$(BIN)/wavetank demo --real --kind jvm

test: $(READY) ## the tests
	$(BIN)/python -m pytest -q -n 2

test-real: $(READY) ## the long tests on real Kafka and Cassandra, 20 to 40 minutes (Java 17 and Maven)
	$(BIN)/python -m pytest -q -m real

conformance: $(READY) ## our servers beside Apache Kafka, librdkafka and Cassandra, live: 10 to 20 minutes, with MINUTES=1 of each kind of random requests (Java 17 and Maven)
	$(BIN)/python -m pytest -q -m "real or not real" --minutes $(or $(MINUTES),1) tests/conformance

conformance-record: $(READY) ## write down anew what Apache Kafka and Cassandra answer (Java 17 and Maven)
	$(BIN)/python -m tests.conformance.kafka.record
	$(BIN)/python -m tests.conformance.cql.record $(SEED)

lint: $(READY) ## style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## speed: paired ratios and medians
	$(BIN)/python -m scenarios.bench
	$(BIN)/python -m scenarios.bench_engine
	$(BIN)/python -m scenarios.bench_front
	$(BIN)/python -m scenarios.bench_ubscore

bench-recovery: $(READY) ## UBSCore's recovery of 1,000,000 logged commands, 10,000 of them since the snapshot
	$(BIN)/python -m scenarios.bench_recovery

bench-reconcile: $(READY) ## time and memory of reconciling 10^5, 10^6 and 10^7 ledger rows, of transfers and of an exchange (ROWS=n)
	$(BIN)/python -m scenarios.reconciling.bench $(ROWS)

fuzz: $(READY) ## the gateway under 1,000 drawn requests an operation (EXAMPLES=n for another number)
	$(BIN)/python -m tests.system.gateway.fuzz $(EXAMPLES)

load: $(READY) ## what Kafka and Cassandra settle, topic and HTTP beside a bare client (Java 17, Maven)
	$(BIN)/python -m scenarios.bench_settled

load-scale: $(READY) ## the same load with one and two gateways, shards and settlements
	$(BIN)/python -m scenarios.bench_settled --scale --rounds 3

observability: $(READY) ## make list of metrics, dashboard and alert rules anew from what programs tell
	$(BIN)/python -m reports.observability

hunt: $(READY) ## 10,000 seeds of chaos_deposits (SEEDS=n for another number)
	$(BIN)/wavetank hunt chaos_deposits --seeds $(or $(SEEDS),10000)

kill-campaign: $(READY) ## UBSCore killed KILLS=1000 times with real processes, on servers of KIND=embedded
	$(BIN)/wavetank hunt kill_campaign --stage real --kills $(or $(KILLS),1000) --kind $(or $(KIND),embedded)

controls-real: $(READY) ## every planted bug and every story with real processes, on servers of KIND=embedded; goes on
	$(BIN)/wavetank controls --stage real --kind $(or $(KIND),embedded)

clean: ## remove everything that was made
	rm -rf .venv runs build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
