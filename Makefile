# Two commands: `make demo` sets up and puts sound to a clip; `make test` sets up and passes the tests.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || echo python3)
CLIP ?= src/weft/samples/sample.mp4
OUT ?= demo
VENV := .venv
BIN := $(VENV)/bin
# Tests beside each other, a file's in one process; each process with one thread: two of many threads hinder each other.
JOBS ?= 2
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

.PHONY: demo test check everyday setup setup-dev osmesa

demo: setup
	@mkdir -p "$(OUT)"
	@$(BIN)/weft generate "$(CLIP)" --out-dir "$(OUT)" --timeline --lufs -23 --force

test: check
	$(PYTEST)

check: setup-dev osmesa
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

everyday: setup-dev osmesa
	$(PYTEST) -m "not slow"

setup: $(VENV)/.core
setup-dev: $(VENV)/.dev

$(VENV)/.core: pyproject.toml constraints.txt
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "installing weft (first run only) ..."
	@$(BIN)/pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e ".[dev]"
	@echo "compiling librosa (first run only) ..."
	@$(BIN)/python -c "from weft.media.compiled import librosa; librosa()"
	@touch $@ $(VENV)/.core

# The world's pictures are drawn off screen; its tests are skipped, saying so, where this library is missing.
osmesa:
	@ldconfig -p | grep -q libOSMesa || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq libosmesa6 >/dev/null; } || \
	  echo "libOSMesa not found: tests of the world's pictures will be skipped (apt-get install libosmesa6)"
