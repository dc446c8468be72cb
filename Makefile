# make run: the app.  make test: everything a change must pass.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXAMPLE := softmerge_core/examples/first-look

.PHONY: run test lint types unit zoo clean

run: $(VENV)/.run
	@mkdir -p pages/static
	$(BIN)/python -m streamlit run app.py

test: lint types unit

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

unit: $(VENV)/.test
	$(BIN)/pytest

# Trains the shipped networks again and records the run that the Merge page shows before anything is pressed.
zoo: $(VENV)/.run
	$(BIN)/python -m softmerge_core zoo build
	rm -rf $(EXAMPLE)
	$(BIN)/python -m softmerge_core spec | $(BIN)/python -m softmerge_core merge - --out $(EXAMPLE) > /dev/null
	cd $(EXAMPLE) && rm -f lock begun.json snapshot.bin

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.test: requirements.txt requirements-test.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV)
