# Everything runs in .venv. A stamp in it says what is installed, so that the second time is quick.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
MODEL ?= all
DECK ?= docs/deck.toml
OUT ?= build/deck
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
NEEDS := pyproject.toml install.py

.PHONY: run test check format bench deck train docker clean

run: $(VENV)/.run
	@exec $(BIN)/python -m app serve --host "$(HOST)" --port "$(PORT)"

# CHROMIUM tells the tests which browser to start; ARGS goes to pytest: make test ARGS="-k gates", or "-n 0" for one process
test: $(VENV)/.test
	@CHROMIUM="$$($(BIN)/python install.py --browser)" || exit 1; export CHROMIUM; \
	PLAYWRIGHT_BROWSERS_PATH="$(CURDIR)/.browser" OMP_NUM_THREADS=1 \
	exec $(BIN)/python -m pytest -q -n 2 --dist worksteal $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.run
	@exec $(BIN)/python -m app bench

# The lecture for a room without network: a folder to put on a USB stick, begun with its index.html
deck: $(VENV)/.run
	@exec $(BIN)/python -m app export "$(DECK)" --out "$(OUT)"

# Hours; an interrupted run goes on with the same command. One model: make train CORPORA=folder MODEL=lstm
train: $(VENV)/.run
	@test -d "$(CORPORA)" || { echo "Say where the corpora are: make train CORPORA=folder" >&2; exit 2; }
	@exec $(BIN)/python -m models.training.train "$(MODEL)" --corpora "$(CORPORA)"

docker:
	docker build --tag satzblick .

clean:
	rm -rf $(VENV) .browser build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find app models tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.run: $(NEEDS)
	@$(PYTHON) install.py
	@touch $@

$(VENV)/.test: $(NEEDS)
	@$(PYTHON) install.py test
	@touch $(VENV)/.run $@

$(VENV)/.dev: $(NEEDS)
	@$(PYTHON) install.py dev
	@touch $(VENV)/.run $@
