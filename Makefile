# Footnote's doors. Each installs first what it needs; a second time that takes no time and no network.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test bench lint try-llm install install-dev chromium
.DEFAULT_GOAL := run

run: install
	@exec $(BIN)/python manage.py up --port $(PORT)

test: lint chromium
	$(BIN)/python -m pytest

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python -m pytest --quiet tests/test_licences.py

# Twenty questions by each strategy, at the chat model that is connected.
try-llm: install
	$(BIN)/python manage.py try_llm

# SIZE=1m: retrieval alone, over a million chunks; it takes about an hour.
bench: install-dev
	SIZE=$(SIZE) $(BIN)/python -m bench $(if $(SIZE),retrieval)

install: .venv/.installed
install-dev: .venv/.installed-dev
chromium: .venv/.chromium

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Footnote needs Python 3.11 or newer; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Making .venv…"
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt requirements-embedded.txt constraints.txt | .venv/bin/python
	@echo "Installing what Footnote runs on (a minute or two, this once)…"
	@$(PIP) install --require-hashes --no-deps --requirement requirements-embedded.txt
	@$(PIP) install --requirement requirements.txt --constraint constraints.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@echo "Installing what the tests need…"
	@$(PIP) install --requirement requirements-dev.txt --constraint constraints.txt
	@touch $@

# The system's own browser where there is one; else Playwright's; else, as root, Debian's.
.venv/.chromium: | .venv/.installed-dev
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
		|| $(BIN)/playwright install --with-deps chromium-headless-shell \
		|| $(BIN)/playwright install chromium-headless-shell \
		|| { apt-get update && apt-get install --yes --no-install-recommends chromium; }
	@touch $@
