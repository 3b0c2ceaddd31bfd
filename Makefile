# make setup   install everything into .venv (does nothing the second time)
# make demo    the whole pipeline on the embedded data set, and its table
# make test    formatter, linter, type check, tests, a smoke run of the pipeline
PYTHON ?= python3
FAISS := $(if $(shell command -v nvidia-smi),faiss-gpu,faiss-cpu)==1.15.1
# The system's pip installs into .venv, which needs none of its own: Debian's python3 alone cannot put one there.
PIP := $(PYTHON) -m pip --python .venv --disable-pip-version-check
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: setup demo test format clean

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version)'
	$(PYTHON) -m venv --clear --without-pip .venv
	$(PIP) install --quiet --no-deps -r requirements.lock
	$(PIP) install --quiet $(FAISS)
	$(PIP) install --quiet --no-deps --editable .
	@touch $@

demo: setup
	$(RUN) dvc repro
	@cat data/report/table.md
	@echo "All pictures: data/report/index.html"

test: setup
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) pytest

format: setup
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

clean:
	rm -rf .venv .scratch
