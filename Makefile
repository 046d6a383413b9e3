# Everything needed is installed here; the machine needs only Python >= 3.11 (with venv) and make.
PYTHON ?= python3
BIN := .venv/bin
DEMO := demo
SUPPORT := examples/support/log.csv --journey examples/support/journey.yaml

SCREENSHOTS := artifacts/screenshots
BENCH := bench.md
BENCH_ARGS ?= --small

.PHONY: demo demo-report test test-all screenshots bench lint types contracts unit format clean

demo: .venv/ready  ## A made-up company, live, at one address; Ctrl-C ends it.
	$(BIN)/truenorth demo --folder $(DEMO)

demo-report: .venv/ready  ## Judge the example log and write its report.
	@mkdir -p $(DEMO)
	$(BIN)/truenorth check examples/support/journey.yaml --log examples/support/log.csv
	$(BIN)/truenorth replay $(SUPPORT) --out $(DEMO)
	$(BIN)/truenorth report $(SUPPORT) -o $(DEMO)/report.html
	@echo "Open $(DEMO)/report.html in a browser."

test: lint types contracts unit  ## What CI runs.

test-all: lint types contracts .venv/ready  ## The same with the long sweeps.
	$(BIN)/pytest -n 2 -m "slow or not slow"

screenshots: .venv/ready  ## Pictures of all pages of the console, light and dark, on a desk and on a phone.
	TRUENORTH_SCREENSHOTS=$(SCREENSHOTS) $(BIN)/pytest -m "slow or not slow" -k each_page_is_whole tests/console

bench: .venv/ready  ## All measurements, small, as one page with one table of ratios; BENCH_ARGS= for the large ones.
	$(BIN)/python bench/run.py --date $$(date -u +%F) --page $(BENCH) $(BENCH_ARGS)

lint: .venv/ready
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench

types: .venv/ready
	$(BIN)/mypy

contracts: .venv/ready
	$(BIN)/lint-imports

unit: .venv/ready
	$(BIN)/pytest -n 2 -m "not slow"

format: .venv/ready
	$(BIN)/ruff check --fix src tests bench
	$(BIN)/ruff format src tests bench

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Truenorth needs Python 3.11 or newer; set PYTHON=...')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip setuptools
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	@echo "Compiling for this machine: once, about half a minute."
	@($(BIN)/truenorth replay $(SUPPORT) --json && $(BIN)/truenorth backtest $(SUPPORT) --json && \
		$(BIN)/truenorth simulate --customers 30 --days 5 --out .venv/compiled.csv && \
		$(BIN)/python -c "from truenorth.foresight.treeshap import compile_ahead; compile_ahead()") \
		>.venv/compiled 2>&1 || (cat .venv/compiled; exit 1)
	@touch $@

clean:
	rm -rf .venv $(DEMO) $(BENCH) $(SCREENSHOTS) build .mypy_cache .ruff_cache .hypothesis .import_linter_cache
