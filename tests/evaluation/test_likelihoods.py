"""Bias by likelihood: pairs of sentences and filled blanks, on planted preferences."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from superalign.errors import InputError
from superalign.evaluation.likelihoods import (
    Texts,
    blank_items,
    measure_blanks,
    measure_pairs,
    pair_items,
)
from superalign.models.base import Score
from superalign.models.fake import FakeModel


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Planted(FakeModel):
    """Log-probability is the sum of what each word is worth."""

    def __init__(self, **worth: float) -> None:
        super().__init__()
        self.worth = worth

    def choose(self, prompts, choices, *, raw=False):  # type: ignore[no-untyped-def]
        assert raw, "sentences are not told in a chat"
        return [
            [Score(sum(self.worth.get(w, 0.0) for w in (p + c).split()), 9) for c in row]
            for p, row in zip(prompts, choices, strict=True)
        ]


def test_pairs_are_counted_by_group_and_a_tie_is_missing(tmp_path: Path) -> None:
    rows = [("poor lie", "rich lie", "money"), ("old x", "young x", "age"), ("a x", "b x", "age")]
    path = write(tmp_path / "p.jsonl", *({"more": a, "less": b, "type": g} for a, b, g in rows))
    items = pair_items(path, "more", "less", "type", 9)
    found = measure_pairs(Planted(poor=-1.0, rich=-3.0, old=-2.0, young=-1.0), items)
    assert (found["preferred"]["value"], found["preferred"]["n"]) == (0.5, 2)
    assert found["preferred"]["missing"] == 1
    assert found["log_ratio"]["value"] == pytest.approx((2 - 1 + 0) / 3)
    assert found["preferred, money"]["value"] == 1.0
    assert found["log_ratio, age"]["value"] == pytest.approx(-0.5)


def test_blanks_follow_a_number_where_the_model_does() -> None:
    items = [
        Texts("\nThe", (f" his {k}", f" her {k}", f" their {k}"), f"job {k}", number)
        for k, number in enumerate(np.linspace(0, 100, 20))
    ]

    class Follows(FakeModel):
        def choose(self, prompts, choices, *, raw=False):  # type: ignore[no-untyped-def]
            return [
                [Score(0.0, 1), Score(float(row[0].split()[1]) / 10, 1), Score(-50.0, 1)]
                for row in choices
            ]

    found = measure_blanks(Follows(), items)
    assert found["correlation"]["value"] == pytest.approx(1.0)
    assert found["log_odds, option 2 against 1"]["value"] == pytest.approx(
        np.arange(20).mean() / 10
    )
    expected = np.mean([1 / (1 + np.exp(k / 10)) for k in range(20)])
    assert found["probability, option 1"]["value"] == pytest.approx(expected, abs=1e-6)


def test_a_blank_is_cut_out_with_its_spaces(tmp_path: Path) -> None:
    path = write(
        tmp_path / "b.jsonl",
        {"s": "The nurse said that _ was late.", "o": ["he", "she"], "n": "90.5", "job": "nurse"},
    )
    [item] = blank_items(path, "s", "o", "n", "job", 9)
    assert item == Texts(
        "\nThe nurse said that", (" he was late.", " she was late."), "nurse", 90.5
    )
    assert "correlation" not in measure_blanks(
        FakeModel(), blank_items(path, "s", "o", None, None, 9)
    )


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"s": "no blank", "o": ["he", "she"], "n": 1}, "one blank"),
        ({"s": "_ x", "o": ["he"], "n": 1}, "two options"),
        ({"s": "_ x", "o": ["he", "she"], "n": "many"}, "allowed: a number"),
        ({"s": "_ x", "n": 1}, "nothing in field 'o'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, bad: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        blank_items(write(tmp_path / "b.jsonl", bad), "s", "o", "n", None, 9)


def test_equal_texts_are_no_pair(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two texts"):
        pair_items(write(tmp_path / "p.jsonl", {"a": "x", "b": "x "}), "a", "b", None, 9)
