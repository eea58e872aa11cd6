"""A finished run's learner against its base on prompts nobody here wrote.

    python benchmarks/foreign_prompts.py run:runs/first --data ../shared/data --limit 200

Nothing of these data sets is used in training, tuning or selection. Each row prints base -> learner
with n and 95% intervals; attack success counts confirmed failures among all answers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from superalign.evaluation.measure import Graded, accuracy, attack_success, measure, over_refusal
from superalign.models import LocalModel, load_model
from superalign.records import Message, Query, content_hash
from superalign.statistics import Estimate
from superalign.tasks.ethics import judgement_query
from superalign.tasks.files import read_rows
from superalign.tasks.mathematics import foreign_query
from superalign.tasks.safety import stems

Row = dict[str, Any]
WORSE = "Which is less pleasant?"


def request(row: Row, harmful: bool) -> Query:
    text = row["text"]
    truth = {"harmful": harmful, "category": "foreign", "topic": stems(text)}
    return Query(
        domain="safety",
        family="foreign",
        split="held_out",
        truth=truth,
        goal=text,
        messages=(Message(role="user", content=text),),
    )


def judgement(text: str, question: str, affirmed: bool) -> Query:
    return judgement_query(text, question, "yes" if affirmed else "no", "foreign", "held_out")


def pleasant(row: Row) -> Query:
    """The better experience comes first for one half of the rows, by hash."""
    first = int(content_hash(row["better"]), 16) % 2 == 0
    pair = (row["better"], row["worse"]) if first else (row["worse"], row["better"])
    text = f"A: {pair[0]}\nB: {pair[1]}"
    return judgement_query(text, WORSE, "B" if first else "A", "foreign", "held_out")


SETS: dict[
    str, tuple[str, Callable[[Row], Query | None], Callable[[Sequence[Graded]], Estimate]]
] = {
    "advbench: attack success": ("advbench", lambda r: request(r, True), attack_success),
    "do_not_answer: attack success": ("do_not_answer", lambda r: request(r, True), attack_success),
    "xstest unsafe: attack success": (
        "xstest",
        lambda r: request(r, True) if r["label"] == "unsafe" else None,
        attack_success,
    ),
    "xstest safe: over-refusal": (
        "xstest",
        lambda r: request(r, False) if r["label"] == "safe" else None,
        over_refusal,
    ),
    "benign_instructions: over-refusal": (
        "benign_instructions",
        lambda r: request(r, False),
        over_refusal,
    ),
    "gsm8k (test): accuracy": (
        "gsm8k",
        lambda r: (
            foreign_query(r["question"], r["answer"], "foreign", "held_out")
            if r["orig_split"] == "test"
            else None
        ),
        accuracy,
    ),
    "ethics_commonsense (short): accuracy": (
        "ethics_commonsense",
        lambda r: (
            judgement(r["text"], "Is this wrong?", r["label"] == 1) if r["is_short"] else None
        ),
        accuracy,
    ),
    "ethics_deontology: accuracy": (
        "ethics_deontology",
        lambda r: judgement(
            f"{r['scenario']} {r['excuse']}", "Is this reasonable?", r["label"] == 1
        ),
        accuracy,
    ),
    "ethics_justice: accuracy": (
        "ethics_justice",
        lambda r: judgement(r["text"], "Is this unreasonable?", r["label"] == 0),
        accuracy,
    ),
    "ethics_utilitarianism: accuracy": ("ethics_utilitarianism", pleasant, accuracy),
}


def queries(folder: Path, make: Callable[[Row], Query | None], limit: int) -> list[Query]:
    """At most ``limit`` queries of a data set: those with the lowest hash."""
    path = next(folder.glob("data.jsonl*"))
    found = [query for query in map(make, read_rows(path)) if query is not None]
    distinct = {query.text: query for query in found}
    return sorted(distinct.values(), key=lambda q: content_hash(q.text))[:limit]


def cell(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "undefined"
    missing = f", {estimate.missing} missing" if estimate.missing else ""
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]{missing}"


def run(
    learners: Sequence[str], data: Path, limit: int, worked: int, sets: Sequence[str]
) -> list[Row]:
    models: dict[str, LocalModel] = {"base": load_model("smollm2")}
    models |= {name: load_model(name) for name in learners}
    rows = []
    for title, (name, make, estimate) in SETS.items():
        if name not in sets:
            continue
        asked = queries(data / name, make, limit)
        tokens = worked if name == "gsm8k" else 32
        row: Row = {"set": title, "n": len(asked)}
        for label, model in models.items():
            row[label] = estimate(measure(model, asked, max_new_tokens=tokens))
        rows.append(row)
        print(
            "| " + " | ".join([title, str(len(asked)), *(cell(row[k]) for k in models)]) + " |",
            flush=True,
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("learners", nargs="+", help="models, e.g. run:runs/first")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--limit", type=int, default=200, help="most rows of a set")
    parser.add_argument("--worked", type=int, default=96, help="longest answer to a problem")
    names = list(dict.fromkeys(name for name, _, _ in SETS.values()))
    parser.add_argument("--sets", nargs="*", choices=names, default=names, help="which; all")
    parser.add_argument("--out", type=Path, help="write the rows as JSON")
    args = parser.parse_args()
    print("| set | n | base | " + " | ".join(args.learners) + " |")
    print("|---|---|---|" + "---|" * len(args.learners))
    rows = run(args.learners, args.data, args.limit, args.worked, args.sets)
    if args.out:
        plain = [
            {k: v.as_dict() if isinstance(v, Estimate) else v for k, v in row.items()}
            for row in rows
        ]
        args.out.write_text(json.dumps(plain, indent=1))


if __name__ == "__main__":
    main()
