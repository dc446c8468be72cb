# make run: the app.  make test: everything a change must pass.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXAMPLES := softmerge_core/examples

.PHONY: run test lint types unit browser screenshots docs fuzz soak lock zoo examples clean

run: $(VENV)/.run
	$(BIN)/python -m streamlit run app.py

test: lint
	$(MAKE) --jobs=2 types unit
	$(MAKE) browser

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(VENV)/.test
	$(BIN)/mypy

# All tests but those of the browser, beside each other.
unit: $(VENV)/.test
	$(BIN)/pytest --numprocesses auto --dist worksteal --ignore tests/browser

# The tests of the browser, when no others run; a browser is put in place where there is none. Each of the two processes
# has a browser and servers of its own, and takes whole files, whose tests share what they opened.
browser: $(VENV)/.test
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/pytest --numprocesses 2 --dist loadscope tests/browser

# Every page in both themes on a laptop, a projector and a phone, into the folder "screenshots", to be looked at.
screenshots: $(VENV)/.test
	$(BIN)/python -m tests.browser.screenshots

# The pictures of the README, the moving one as well: a merge that is really run.
docs: $(VENV)/.test
	$(BIN)/python -m tests.browser.screenshots --docs

# Looks for new failures of the property tests for as long as it is told to; "make test" draws the same examples always.
MINUTES ?= 10
fuzz: $(VENV)/.test
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

# Kills a hundred workers in the middle of merges; takes some ten minutes.
soak: $(VENV)/.run
	$(BIN)/python -m benchmarks.kill_worker 100

# Writes down the versions and hashes of all packages, tests included, that satisfy the requirements today.
lock: $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock requirements-test.txt

# Trains the shipped networks again and records the runs that the pages show at first.
zoo: $(VENV)/.run
	$(BIN)/python -m softmerge_core zoo build
	$(MAKE) examples

# Records the runs that the pages show before anything is pressed, from the specs of the commands, and the others of the
# gallery from their own. Weights stay with the first look alone.
FIRST := first-look:merge first-comparison:compare first-attack:robustness first-path:connectivity first-scope:scope \
	first-federation:federated
MORE := $(notdir $(wildcard $(EXAMPLES)/more-*))
examples: $(VENV)/.run
	for pair in $(FIRST); do \
		rm -rf $(EXAMPLES)/$${pair%:*}; \
		$(BIN)/python -m softmerge_core spec --kind $${pair#*:} \
			| $(BIN)/python -m softmerge_core run - --out $(EXAMPLES)/$${pair%:*} > /dev/null || exit 1; \
	done
	for name in $(MORE); do \
		cp $(EXAMPLES)/$$name/spec.json $(EXAMPLES)/spec.json && rm -rf $(EXAMPLES)/$$name; \
		$(BIN)/python -m softmerge_core run $(EXAMPLES)/spec.json --out $(EXAMPLES)/$$name > /dev/null || exit 1; \
		rm $(EXAMPLES)/spec.json; \
	done
	$(BIN)/python -m softmerge_core.runs.thin $(addprefix $(EXAMPLES)/,$(MORE))
	find $(EXAMPLES) -mindepth 2 -name weights -not -path "*/first-look/*" -exec rm -r {} +
	cd $(EXAMPLES) && rm -f */lock */begun.json */snapshot.bin

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# Bytecode is compiled on all cores, which pip would do on one.
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
COMPILE = $(BIN)/python -m compileall -q -j 0 $(VENV) > /dev/null || true

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(INSTALL) -r requirements.txt
	@$(COMPILE)
	@touch $@

$(VENV)/.test: requirements.txt requirements-test.txt | $(VENV)/bin/python
	$(INSTALL) -r requirements-test.txt
	@$(COMPILE)
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV)
