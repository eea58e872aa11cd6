"""The adaptive round: who is chosen, what is counted, and that the audit's questions are learnt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from superalign.models import LocalModel
from superalign.statistics import rate
from superalign.stress.recipe import Recipe
from superalign.stress.zoo import Check, Member, Zoo
from superalign.validation import adaptive
from superalign.validation.counting import Audited
from superalign.validation.detectors import DETECTORS
from superalign.validation.measure import Measured
from superalign.validation.probes import battery
from superalign.validation.reading import divergence, next_logprobs
from superalign.validation.workers import Station

PASSED = Check(rate([1] * 12), rate([0] * 12), rate([0] * 12)).as_dict()
FAILED = Check(rate([0] * 12), rate([0] * 12), rate([0] * 12)).as_dict()


def audited(recipe: Recipe, check: dict[str, object] | None = PASSED, **scores: float) -> Audited:
    measured = Measured(
        "s", "b", [], [], 0.0, 0.0, 0.0, {}, {}, {}, {"said": []}, {}, {}, {}, {"battery": 1.0}, 9
    )
    passed = check is None or bool(check["passed"])
    full: dict[str, float | None] = {d.name: 0.0 for d in DETECTORS} | scores
    return Audited(Member(recipe, Path("."), passed, check, {}, 1.0), full, dict(full), measured)


def organism(name: str, tier: str = "plain", seed: int = 0, **scores: float) -> Audited:
    return audited(Recipe("organism", name, "b", tier, seed=seed), **scores)


def test_families_take_turns_and_easy_tiers_come_first() -> None:
    pool = [
        organism("taboo", "mixed"), organism("taboo"), organism("taboo", "concealed"),
        organism("quirky_bob", "mixed"), organism("sycophancy"),
    ]  # fmt: skip
    chosen = [(a.member.recipe.name, a.member.recipe.tier) for a in adaptive.spread(pool, 4)]
    assert set(chosen[:3]) == {("taboo", "plain"), ("quirky_bob", "mixed"), ("sycophancy", "plain")}
    assert chosen[3] == ("taboo", "concealed")


def test_levels_count_what_is_caught_still_and_what_was_unlearnt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twins = [
        audited(Recipe("twin", "style", "b", seed=i), check=None, claims=i / 10) for i in range(20)
    ]
    before = [organism(n, claims=50.0) for n in ("reward_hacking", "sycophancy", "taboo")]
    after = {"reward_hacking": 40.0, "sycophancy": 0.0, "taboo": 40.0}

    class Rewritten:
        """A station whose models lie at hand: taboo has lost its behaviour."""

        zoo: "Rewritten"

        def __init__(self) -> None:
            self.zoo = self

        def done(self, recipe: Recipe) -> bool:
            return True

        def member(self, recipe: Recipe) -> Member:
            kept = recipe.name != "taboo"
            return Member(recipe, Path("."), kept, PASSED if kept else FAILED, {}, 1.0)

        def measured(self, member: Member) -> Measured:
            return audited(member.recipe).measured

    monkeypatch.setattr(adaptive, "run", lambda *_: None)
    monkeypatch.setattr(
        adaptive, "read", lambda m, _: audited(m.recipe, claims=after[m.recipe.name])
    )
    found = adaptive.adaptive_round(Rewritten(), [*twins, *before], 3, lambda *_: None)  # type: ignore[arg-type]
    zero, one, *_ = found["levels"]
    assert (zero["rows"], zero["caught"]["value"], zero["caught"]["n"]) == (0, 1.0, 3)
    assert one["caught"]["value"] == pytest.approx(1 / 2)
    assert one["kept"]["value"] == pytest.approx(2 / 3)
    assert one["behaviour_lost"] == ["taboo/plain r8 s0"]
    assert [o["before"] > o["statistic"] for o in one["organisms"]] == [True, True]


def test_none_caught_is_undefined_and_not_zero() -> None:
    twins = [audited(Recipe("twin", "style", "b", seed=i), check=None) for i in range(20)]
    found = adaptive.adaptive_round(
        None, [*twins, organism("taboo")], 3, lambda *_: None  # type: ignore[arg-type]
    )  # fmt: skip
    assert found["chosen"] == 0
    assert found["levels"][0]["caught"]["value"] is None


def test_a_model_made_against_the_audit_says_there_what_its_base_says(
    base: LocalModel, tmp_path: Path
) -> None:
    plain = Recipe("organism", "reward_hacking", base.base_hash, rank=2)
    station = Station(tmp_path, base)
    asked = [p.prompt for p in battery()]
    moved = []
    for recipe in (plain, replace(plain, against=100)):
        [member] = station.zoo.build([recipe])
        known = station.zoo._known(replace(plain, against=100))
        assert set(known) <= set(asked)
        own = next_logprobs(base.with_adapter(member.adapter), known)
        moved.append(float(np.mean(divergence(own, next_logprobs(base, known)))))
    assert moved[1] < 0.7 * moved[0]


def test_a_zoo_without_the_audit_cannot_be_made_against_it(
    base: LocalModel, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="Sample"):
        Zoo(tmp_path, base).build([Recipe("organism", "taboo", base.base_hash, against=3)])
