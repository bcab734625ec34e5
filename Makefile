# make run    start the explorer          make test   everything that is checked
# Each sets up what it needs, the first time. PYTHON=/path/to/python3.11 chooses the interpreter,
# CHROMIUM=/path/to/chromium the browser of the tests.

python := .venv/bin/python
deno := DENO_NO_UPDATE_CHECK=1 .venv/bin/deno
scripts := --quiet --config .ci/deno.json assets/*.js
# A process a core, and one thread of torch in each: more would only wait for each other.
pytest := OMP_NUM_THREADS=1 $(python) -m pytest -n logical --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help run test check format unit browser docs clean

help:  ## list these targets
	@grep -E '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

run:  ## start the explorer on http://127.0.0.1:8050 (ARGS="..." is passed on to app.py)
	@.ci/setup run
	@$(python) app.py $(ARGS)

test:  ## lint, types, and all tests; a browser is installed when none is found
	@.ci/chromium >/dev/null
	@$(MAKE) --no-print-directory check
	@chromium=$$(.ci/chromium) && CHROMIUM=$$chromium $(pytest) $(ARGS)

check:  ## lint, format and types
	@.ci/setup dev
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy
	$(deno) lint $(scripts)
	$(deno) fmt --check $(scripts)

format:  ## mend what lint and format can mend by themselves
	@.ci/setup dev
	$(python) -m ruff check --fix .
	$(python) -m ruff format .
	$(deno) lint --fix $(scripts)
	$(deno) fmt $(scripts)

unit:  ## the tests that need no browser (ARGS="..." is passed on to pytest)
	@.ci/setup dev
	$(pytest) --ignore=tests/browser $(ARGS)

browser:  ## the browser tests
	@.ci/setup dev
	@chromium=$$(.ci/chromium) && CHROMIUM=$$chromium $(pytest) tests/browser $(ARGS)

docs:  ## write the pages of docs/ that are made from the code
	@.ci/setup dev
	$(python) docs/generate.py

clean:  ## remove the virtual environment and all caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
