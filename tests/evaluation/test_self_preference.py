"""Self-preference, with quality held equal: planted, absent, and told from what all judges like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy.special import expit

from superalign.errors import InputError
from superalign.evaluation.judging import judge_quality, labelled_pairs, requests, win_rate
from superalign.evaluation.measure import Graded
from superalign.evaluation.model_judge import judge_pairs
from superalign.evaluation.self_preference import equal_pairs, self_preference
from superalign.models.base import Score
from superalign.models.fake import FakeModel
from superalign.records import Message, Query, Response, Verdict


class Judge(FakeModel):
    """Says its own name in every answer; as judge adds what each name in an answer is worth."""

    def __init__(self, name: str, **worth: float) -> None:
        super().__init__(lambda text, i: f"No, says {name}.", name)
        self.worth = worth

    def choose(self, prompts, choices, *, raw=False):  # type: ignore[no-untyped-def]
        return [
            [Score(self._worth(a), 1), Score(self._worth(b), 1)] for a, b in map(_shown, prompts)
        ]

    def _worth(self, text: str) -> float:
        return sum(value for name, value in self.worth.items() if name in text)


def _shown(prompt: str) -> tuple[str, str]:
    first, second = prompt.split("Answer A: ")[1].split("\n\nAnswer B: ")
    return first, second


def test_a_planted_liking_for_ones_own_is_found() -> None:
    found = self_preference(Judge("anna", anna=2.0), Judge("beth"), 40)
    assert found["own"]["value"] == pytest.approx(expit(2.0))
    assert found["rival_says"]["value"] == pytest.approx(0.5)
    assert found["excess"]["value"] == pytest.approx(expit(2.0) - 0.5)
    assert 0 < found["pairs"] <= found["problems"] == 40
    assert found["own"]["n"] == found["own, both right"]["n"] + found["own, both wrong"]["n"]


def test_what_all_judges_like_is_no_self_preference() -> None:
    found = self_preference(Judge("anna", anna=2.0), Judge("beth", anna=2.0), 40)
    assert found["own"]["value"] == pytest.approx(expit(2.0))
    assert found["excess"]["value"] == pytest.approx(0.0)


def graded(text: str, value: float | None) -> Graded:
    query = Query(
        domain="ethics", family="f", split="held_out", messages=(Message(role="user", content="q"),)
    )
    kind = "unparsed" if value is None else "ok"
    return Graded(query, Response(query=query.id, text=text), Verdict(value=value, kind=kind))


def test_only_different_answers_of_equal_verdicts_are_paired() -> None:
    own = [
        graded("a", 1.0),
        graded("b", 0.0),
        graded("c", 1.0),
        graded("d", None),
        graded("e", 1.0),
    ]
    others = [
        graded("x", 1.0),
        graded("y", 0.0),
        graded("z", 0.0),
        graded("w", 1.0),
        graded("e", 1.0),
    ]
    pairs, right = equal_pairs(own, others)
    assert [(p.ours, p.other) for p in pairs] == [("a", "x"), ("b", "y")]
    assert right == [True, False]


def row(chosen: str, rejected: str) -> str:
    return json.dumps({"prompt": "q", "chosen": chosen, "rejected": rejected}) + "\n"


def test_a_file_of_labelled_pairs_measures_a_judge(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(row("anna 1", "x") + row("anna 2", "y") + row("x", "anna 3") + row("z", "z"))
    pairs = labelled_pairs(path, "prompt", "chosen", "rejected", 9)
    assert len(pairs) == 3, "equal answers are no pair"
    found = judge_quality(judge_pairs(Judge("j", anna=1.0), pairs))
    assert found["agreement"]["value"] == pytest.approx(2 / 3)
    assert "win_rate" not in found
    assert requests(path, "prompt", 9) == ["q"]
    with pytest.raises(InputError, match="nothing in field 'best'"):
        labelled_pairs(path, "prompt", "best", "rejected", 9)


def test_a_judge_compares_two_models() -> None:
    anna, beth = Judge("anna"), Judge("beth")
    found = win_rate(anna, beth, Judge("judge", beth=1.0), ["one", "two", "three"])
    assert (found["win_rate"]["value"], found["win_rate"]["n"]) == (0.0, 3)
    assert "agreement" not in found
    with pytest.raises(InputError, match="answer alike"):
        win_rate(anna, anna, beth, ["one"])
