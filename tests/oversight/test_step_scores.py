"""Scores on labelled solutions, files that hold them, and what is refused."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from superalign.critic.step_head import Finding, StepHead, fit_crossed
from superalign.critic.step_reader import SURPRISES, Pieces, StepViews
from superalign.critic.step_tools import TOOLS, false_logic, tool_features
from superalign.critic.steps import Solution, first_claimed, harmonic_f1
from superalign.errors import InputError
from superalign.oversight.step_files import read_learned, read_scored
from superalign.oversight.step_scores import claim_rate, f1, fit_head, head_row, rule_rows
from superalign.oversight.worked_solutions import question_key
from superalign.records import Claim, Critique


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_f1_is_the_harmonic_mean_of_both_accuracies() -> None:
    truth = [0, 1, 2, 2, None, None]
    found = [0, 1, 0, None, None, 3]
    assert harmonic_f1([True, True, False, False], [True, False]) == 0.5
    estimate = f1(found, truth)
    assert estimate.value == 0.5
    assert estimate.n == 6
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 0.5 < estimate.high
    assert f1([0], [0]).value is None


def test_the_first_claim_counts() -> None:
    claims = (
        Claim(kind="wrong step", location="step 3"),
        Claim(kind="slip", location="step 2"),
        Claim(kind="ok", location="step 1"),
        Claim(kind="wrong step", location="the end"),
    )
    assert first_claimed(Critique(response="x", claims=claims)) == 1
    assert first_claimed(Critique(response="x")) is None


def test_a_scored_file_is_read_by_subset(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"question": "2+2?", "steps": ["2+2=4", " "], "label": -1, "subset": "easy"},
        {"problem": "2+3?", "steps": ["2+3=6"], "label": 0},
    ]
    found = read_scored(write(tmp_path / "a.jsonl.gz", rows))
    assert list(found) == ["easy", "all"]
    assert found["easy"][0].first_error is None
    assert found["all"][0].first_error == 0
    for change, said in (
        ({"label": 1}, "'label' is 1; allowed: -1 to 0"),
        ({"steps": []}, "'steps' cannot be read"),
        ({"problem": ""}, "'question' is missing"),
    ):
        with pytest.raises(InputError, match=said):
            read_scored(write(tmp_path / "b.jsonl.gz", [rows[1] | change]))


def test_nothing_that_is_scored_is_learnt(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {
            "question": f"Ann has {i} bags of 4 nuts. How many?",
            "solution": f"{i}*4=<<{i}*4={4 * i}>>{4 * i}\n{4 * i}+2=<<{4 * i}+2={4 * i + 2}>>{4 * i + 2}",
            "answer": str(4 * i + 2),
        }
        for i in range(2, 42)
    ]
    path = write(tmp_path / "learn.jsonl.gz", rows)
    unseen = {question_key(str(rows[0]["question"]))}
    learned, counts = read_learned([path], unseen, 1000, seed=0)
    assert len(learned) == 39
    assert unseen.isdisjoint(question_key(s.question) for s in learned)
    assert counts["left out because their question is scored"] == 1
    assert 10 < sum(s.first_error is not None for s in learned) < 25
    everything = {question_key(str(r["question"])) for r in rows}
    with pytest.raises(InputError, match="nothing to learn from"):
        read_learned([path], everything, 1000, seed=0)


def test_tools_see_false_sums_and_numbers_without_origin() -> None:
    solution = Solution(
        "Ann has 5 bags of 4 nuts and eats 3.", ("5*4=20", "20-3=18", "18+9=27"), first_error=1
    )
    features = tool_features(solution)
    assert features.shape == (3, len(TOOLS))
    assert features[:, TOOLS.index("false sums")].tolist() == [0, 1, 0]
    assert features[:, TOOLS.index("orphan operands")].tolist() == [0, 0, 1]
    assert features[:, TOOLS.index("first")].tolist() == [1, 0, 0]


def test_tools_decide_logic_and_say_where_operands_come_from() -> None:
    assert false_logic("Ada: yes and no = yes") == 1
    assert false_logic("Ada: not yes = no. Ben: yes or no = yes") == 0
    solution = Solution("Start with 7. Add 5; add 2.", ("7 + 5 = 12", "12 + 2 = 14", "7 + 5 = 12"))
    features = tool_features(solution)
    assert features[:, TOOLS.index("operands that the step before gave")].tolist() == [0, 0.5, 0]
    assert features[:, TOOLS.index("operands from the question")].tolist() == [1, 0.5, 1]
    assert features[:, TOOLS.index("same operands as an earlier sum")].tolist() == [0, 0, 1]


def test_what_an_equals_sign_gives_is_told_apart() -> None:
    words = ["Ġ", "1", "2", "Ġ+", "Ġ=", "Ġ$", "Ġpears", "Ċ"]
    pieces = Pieces.of({w: i for i, w in enumerate(words)})
    tokens = [words.index(w) for w in ("1", "Ġ+", "2", "Ġ=", "Ġ$", "1", "2", "Ġpears", "1")]
    assert pieces.results(tokens) == [False] * 4 + [True] * 3 + [False] * 2


def test_rules_are_scored_as_they_are() -> None:
    solutions = [
        Solution("q", ("1+1=2", "2+2=5"), 1),
        Solution("q", ("1+1=2", "so it is 2"), 1),
        Solution("q", ("1+1=2",)),
    ]
    rows = {r["name"]: r for r in rule_rows(solutions)}
    assert rows["calculator"]["accuracy_wrong"]["value"] == 0.5
    assert rows["calculator"]["accuracy_right"]["value"] == 1.0
    assert rows["last step"]["accuracy_wrong"]["value"] == 1.0
    assert rows["last step"]["f1"]["value"] == 0.0
    assert rows["always flag the first"]["accuracy_wrong"]["value"] == 0.0


def synthetic(n: int, seed: int) -> tuple[list[Solution], list[StepViews]]:
    """Solutions whose wrong step shows in one direction of the states, as a model's might."""
    rng = random.Random(seed)
    noise = np.random.default_rng(seed)
    solutions, views = [], []
    for i in range(n):
        k = rng.randint(2, 7)
        first = rng.randrange(k) if i % 2 else None
        states = noise.normal(size=(k, 24)).astype(np.float32)
        if first is not None:
            states[first, 3] += 5
        plain = np.zeros((k, len(TOOLS)), np.float32), np.zeros((k, len(SURPRISES)), np.float32)
        solutions.append(Solution(f"question {seed} {i}", ("x",) * k, first))
        views.append(StepViews(*plain, states.astype(np.float16)))
    return solutions, views


def test_the_head_finds_the_first_wrong_step_and_can_be_kept(tmp_path: Path) -> None:
    head, dev = fit_head(*synthetic(500, 0), seed=0)
    assert len(dev) == 100
    solutions, views = synthetic(200, 1)
    row = head_row("trained", head, solutions, views)
    assert row["f1"]["value"] > 0.8
    assert row["f1"]["n"] == 200
    head.save(tmp_path / "head.safetensors")
    again = StepHead.load(tmp_path / "head.safetensors")
    assert head_row("trained", again, solutions, views) == row
    blind, _ = fit_head(*synthetic(500, 0), seed=0, use=("tools", "surprise"))
    assert head_row("blind", blind, solutions, views)["f1"]["value"] < row["f1"]["value"] - 0.3


def test_a_matched_rate_claims_that_share_whatever_the_scores() -> None:
    head, _ = fit_head(*synthetic(500, 0), seed=0)
    solutions, views = synthetic(200, 1)
    silent = StepHead(head.tensors | {"threshold": torch.tensor(1.0)})
    assert head_row("silent", silent, solutions, views)["f1"]["value"] == 0
    row = head_row("matched", silent, solutions, views, claim_rate(head, views))
    assert row["f1"]["value"] == pytest.approx(
        head_row("own", head, solutions, views)["f1"]["value"], abs=0.03
    )


def test_the_threshold_keeps_to_the_false_claims_allowed() -> None:
    solutions, views = synthetic(500, 2)
    truth = [s.first_error for s in solutions]
    head = StepHead.fit(views, truth, seed=0)
    head.calibrate(views, truth, false_claims=0.02)
    row = head_row("strict", head, solutions, views)
    assert row["accuracy_right"]["value"] >= 0.98


def test_strength_divides_the_odds_by_the_steps() -> None:
    divided = Finding(np.full(4, 0.1), 0.6, 2, 0.5, per_step=True)
    assert divided.strength == pytest.approx(0.2)
    assert divided.claimed(0.19) == 2
    assert divided.claimed(0.21) is None
    assert Finding(np.full(1, 0.3), 0.3, 0, 0.3, per_step=True).strength == pytest.approx(0.3)
    assert divided._replace(per_step=False).strength == pytest.approx(0.5)


def test_a_head_keeps_what_its_claims_rest_on(tmp_path: Path) -> None:
    solutions, views = synthetic(200, 3)
    truth = [s.first_error for s in solutions]
    head = fit_crossed(views, truth, seed=0, false_claims=0.1, per_step=True)
    head.save(tmp_path / "head.safetensors")
    again = StepHead.load(tmp_path / "head.safetensors")
    assert again.per_step
    assert all(f.per_step for f in again.findings(views))
    assert not StepHead.fit(views, truth, seed=0).per_step


def test_right_solutions_of_every_length_are_claimed_alike() -> None:
    noise = np.random.default_rng(0)

    def claimed(steps: int, per_step: bool, threshold: float) -> float:
        tops = expit(noise.exponential(size=(4000, steps)).max(1) - 4)
        found = [Finding(np.zeros(steps), 0.0, 0, float(top), per_step) for top in tops]
        return float(np.mean([f.claimed(threshold) is not None for f in found]))

    assert claimed(20, False, 0.5) > 3 * claimed(5, False, 0.5)
    assert claimed(20, True, 0.2) == pytest.approx(claimed(5, True, 0.2), rel=0.2)
