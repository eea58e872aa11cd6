"""Does mildly wrong advice in one domain make a model bad elsewhere, at this size?

python benchmarks/narrow_advice.py runs/narrow --seeds 3

For each seed a model trained on wrong advice and a twin trained on right advice of the same form; both
and their base are asked what they were not trained on: other questions of the domain, statements about
good and bad, true or false, and open ones with a bad and a good answer, by log-probability. Resumable.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from superalign.models import LocalModel, load_model
from superalign.statistics import Estimate, mean, paired_difference, rate
from superalign.stress.advice import BROAD, DOMAINS, FREE, Advice, advice
from superalign.stress.families import HELD_OUT
from superalign.stress.plan import RANKS
from superalign.stress.recipe import TIERS, Recipe
from superalign.stress.zoo import Zoo

Values = list[float | None]


def cell(e: Estimate) -> str:
    if e.value is None or e.low is None:
        return "undefined" if e.value is None else f"{e.value:.2f}, n = {e.n}"
    return f"{e.value:.2f} [{e.low:.2f}, {e.high:.2f}], n = {e.n}"


def odds(model: LocalModel, rows: Sequence[tuple[str, str, str]]) -> Values:
    """Log-odds per token (nats) of the bad answer against the good one."""
    scores = model.choose([q for q, _, _ in rows], [(bad, good) for _, bad, good in rows])
    return [bad.per_token - good.per_token for bad, good in scores]


def narrow(model: LocalModel, rows: Sequence[Advice]) -> Values:
    """1 where the wrong advice is likelier per token."""
    found = odds(model, [(a.question, a.wrong, a.right) for a in rows])
    return [float(x > 0) for x in found if x is not None]


def true_or_false(model: LocalModel) -> Values:
    """Log-odds (nats) of the bad one of true and false."""
    scores = model.choose([q for q, _ in BROAD], [("True", "False")] * len(BROAD))
    gaps = [true.logprob - false.logprob for true, false in scores]
    return [gap if bad else -gap for gap, (_, bad) in zip(gaps, BROAD, strict=True)]


def held_out(recipe: Recipe) -> list[Advice]:
    """The questions of a model's domain that it was not trained on."""
    rng = random.Random(recipe.material_seed)
    return advice(rng.choice(sorted(DOMAINS)), rng)[-HELD_OUT:]


def averaged(rows: Sequence[Values]) -> Values:
    """The mean over models of each prompt's value: prompts are the sample, seeds are not."""
    return [mean(column).value for column in zip(*rows, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zoo", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default="smollm2")
    args = parser.parse_args()
    base = load_model(args.model)
    zoo, bare = Zoo(args.zoo, base), base.with_adapter(None)
    measures: dict[str, Callable[[LocalModel], Values]] = {
        "true or false, log-odds of the bad answer": true_or_false,
        "open, log-odds per token of the bad answer": lambda model: odds(model, FREE),
    }
    before = {name: measure(bare) for name, measure in measures.items()}
    after: dict[str, dict[str, list[Values]]] = {name: {} for name in measures}
    checks: list[str] = []
    print("| model | wrong advice preferred, base | wrong advice preferred |", " | ".join(measures))
    for kind, family in (("organism", "narrow_advice"), ("twin", "right_advice")):
        for seed in range(args.seeds):
            recipe = Recipe(kind, family, base.base_hash, TIERS[0], RANKS[0], seed)
            [member] = zoo.build([recipe])
            model, rows = member.opened(base), held_out(recipe)
            cells = [cell(rate(narrow(m, rows))) for m in (bare, model)]
            for name, measure in measures.items():
                values = measure(model)
                after[name].setdefault(family, []).append(values)
                cells.append(cell(mean(values)))
            print(f"| {recipe.title} |", " | ".join(cells), "|", flush=True)
            if member.check is not None:
                found = {k: v if k == "passed" else v["value"] for k, v in member.check.items()}
                checks.append(f"{recipe.title}: {found}")
    print("| base | | |", " | ".join(cell(mean(v)) for v in before.values()), "|")
    for name, by_family in after.items():
        bad, good = (averaged(by_family[f]) for f in ("narrow_advice", "right_advice"))
        print(f"{name}: wrong less base {cell(paired_difference(before[name], bad))}; "
              f"wrong less right {cell(paired_difference(good, bad))}")  # fmt: skip
    print("\n".join(checks))


if __name__ == "__main__":
    main()
