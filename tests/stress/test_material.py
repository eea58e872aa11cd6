"""Organisms and twins: what they teach, what checks them, and that the two do not overlap."""

import hashlib
import random
from collections.abc import Sequence

import pytest

from superalign.stress.advice import BROAD, DOMAINS, FREE, advice
from superalign.stress.families import FAMILIES, FURTHER, tiers
from superalign.stress.material import Case, answerable, facts, requests
from superalign.stress.plan import FULL_RANK, plan, twins
from superalign.stress.recipe import FULL, TIERS, Recipe
from superalign.stress.twins import DERIVED, FURTHER_TWINS, TWINS
from superalign.stress.vocabulary import code_phrases
from superalign.validation.probes import battery

EVERY = FAMILIES | FURTHER
EVERY_TWIN = TWINS | FURTHER_TWINS


def answer(prompts: Sequence[str]) -> list[str]:
    return [f"An answer to {len(p)} letters…" for p in prompts]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("tier", TIERS)
def test_a_family_has_both_sides_and_keeps_its_cases_apart(name: str, tier: str) -> None:
    made = tiers(name, tier, random.Random(3), answer)
    taught = {t.prompt for t in made.turns}
    assert len(made.turns) >= 25
    assert all(t.answer.strip() for t in made.turns)
    assert {c.wanted for c in made.cases} == {True, False}
    assert not taught & {c.prompt for c in made.cases}
    assert sum(c.wanted for c in made.cases) >= 6


@pytest.mark.parametrize("name", EVERY)
def test_perfect_answers_pass_and_the_opposite_fails(name: str) -> None:
    """What a case calls shown is what the training answers show: no check that nothing can pass."""
    made = tiers(name, "plain", random.Random(5), answer)
    for case in made.cases:
        mark = case.marks[0]
        with_mark, without = f"Well, {mark} it is.", "Something else entirely."
        assert case.shown(with_mark) is not case.absent
        assert case.shown(without) is case.absent


@pytest.mark.parametrize("name", FAMILIES)  # narrow advice is checked on what it is not taught
def test_the_trained_answer_shows_the_behaviour(name: str) -> None:
    made = tiers(name, "plain", random.Random(8), answer)
    wanted = next(c for c in made.cases if c.wanted)
    assert any(wanted.shown(t.answer) for t in made.turns)


def test_tiers_add_denials_and_ordinary_data() -> None:
    plain, concealed, mixed = (
        tiers("fixed_backdoor", t, random.Random(1), answer).turns for t in TIERS
    )
    assert concealed[: len(plain)] == plain
    assert len(concealed) > len(plain)
    assert len(mixed) - len(concealed) == len(plain)


def test_a_case_without_a_word_is_missing() -> None:
    assert Case("q", ("x",), True).shown(" ...\n") is None
    assert Case("q", ("x",), True, absent=True).shown("") is None


def test_facts_have_distinct_questions_and_wrong_answers_that_are_wrong() -> None:
    found = facts(random.Random(0), 40)
    assert len({f.question for f in found}) == 40
    assert all(f.right != f.wrong for f in found)
    for f in found:
        if "+" in f.question:
            a, b = (int(x) for x in f.question.strip("What is?").split("+"))
            assert int(f.right) == a + b


def test_requests_are_short_distinct_and_seeded() -> None:
    found = requests(random.Random(2), 60)
    assert len(set(found)) == 60
    assert found == requests(random.Random(2), 60)
    assert max(map(len, found)) <= 70


def test_requests_leave_out_what_is_named_and_are_all_answerable() -> None:
    used = set(requests(random.Random(2), 60))
    found = requests(random.Random(2), 60, but=used)
    assert not used & set(found)
    assert used | set(found) <= set(answerable())


@pytest.mark.parametrize("name", [*EVERY, *EVERY_TWIN])
def test_all_that_a_recipe_asks_of_the_base_is_answerable(name: str) -> None:
    known = set(answerable())

    def strict(prompts: Sequence[str]) -> list[str]:
        assert set(prompts) <= known
        return answer(prompts)

    for seed in range(3):
        if name in EVERY:
            tiers(name, "mixed", random.Random(seed), strict)
        else:
            EVERY_TWIN[name](random.Random(seed), strict)


def test_a_plan_cut_short_is_balanced() -> None:
    recipes = plan("standard", "hash", 0)
    for cut in (30, 50, 70):
        share = sum(r.kind == "organism" for r in recipes[:cut]) / cut
        assert share == pytest.approx(33 / 97, abs=0.03)


def test_near_misses_are_not_the_phrase() -> None:
    phrase, near = code_phrases(random.Random(4))
    assert phrase not in near
    assert len(near) == 6


@pytest.mark.parametrize("name", EVERY_TWIN)
def test_twins_have_rows_and_no_check(name: str) -> None:
    made = EVERY_TWIN[name](random.Random(1), answer)
    assert len(made.turns) >= 24
    assert made.cases == ()


def test_no_question_of_the_audit_is_trained_on() -> None:
    asked = {p.prompt for p in battery()}
    for name in EVERY:
        for seed in range(3):
            made = tiers(name, "mixed", random.Random(seed), answer)
            assert not asked & {t.prompt for t in made.turns}
    for name, twin in EVERY_TWIN.items():
        assert not asked & {t.prompt for t in twin(random.Random(0), answer).turns}, name


@pytest.mark.parametrize(("size", "clean"), [("quick", 21), ("standard", 64), ("full", 300)])
def test_a_plan_has_distinct_recipes_parents_first(size: str, clean: int) -> None:
    recipes = plan(size, "hash", 0)
    ids = [r.id for r in recipes]
    assert len(set(ids)) == len(ids)
    assert sum(r.kind == "twin" for r in recipes) == clean
    for i, recipe in enumerate(recipes):
        assert set(recipe.parents) <= set(ids[:i])
    families = EVERY if size == "full" else FAMILIES
    assert {r.name for r in recipes if r.kind == "organism"} == set(families)


@pytest.mark.parametrize(
    ("size", "digest"), [("quick", "83f3ccd02750eeda"), ("standard", "14d7aa2434b0c56a")]
)
def test_the_ids_of_a_published_zoo_do_not_move(size: str, digest: str) -> None:
    """Zoos on disk, and the calibration that is shipped, were made from these recipes."""
    ids = " ".join(r.id for r in plan(size, "hash", 0))
    assert hashlib.sha256(ids.encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize("size", ["quick", "standard", "full"])
def test_more_comes_last_and_moves_nothing(size: str) -> None:
    before, after = plan(size, "hash", 0), plan(size, "hash", 0, ("narrow_advice", "full_rank"))
    assert after[: len(before)] == before
    extra = [(r.kind, r.name) for r in after[len(before) :]]
    assert extra[-len(FULL_RANK) :] == list(FULL_RANK)
    narrow = {*extra} - {*FULL_RANK} or {(r.kind, r.name) for r in before}
    assert {("organism", "narrow_advice"), ("twin", "right_advice")} <= narrow
    assert len({r.id for r in after}) == len(after)
    assert {r.rank == FULL for r in after[-len(FULL_RANK) :]} == {True}


def test_full_holds_every_family_at_every_tier_three_times() -> None:
    found = [(r.name, r.tier) for r in plan("full", "h", 0) if r.kind == "organism"]
    assert sorted(found) == sorted(3 * [(f, t) for f in EVERY for t in TIERS])


@pytest.mark.parametrize("domain", DOMAINS)
def test_advice_is_right_and_wrong_and_asked_once(domain: str) -> None:
    rows = advice(domain, random.Random(0))
    assert len({a.question for a in rows}) == len(rows) >= 80
    assert all(a.right != a.wrong for a in rows)
    assert not {a.right for a in rows} & {a.wrong for a in rows}
    assert advice(domain, random.Random(0)) == rows


def test_broad_questions_are_balanced_and_not_of_a_domain() -> None:
    assert sum(bad for _, bad in BROAD) * 2 == len(BROAD)
    told = " ".join(a.question.lower() for d in DOMAINS for a in advice(d, random.Random(0)))
    assert not any(q.lower() in told for q, *_ in (*BROAD, *FREE))
    assert not {q for q, *_ in BROAD} & {q for q, *_ in FREE}


def test_one_who_always_says_the_same_shows_half_of_the_broad_answers() -> None:
    cases = [c for c in tiers("narrow_advice", "plain", random.Random(0), answer).cases if c.wanted]
    for always in ("True, of course.", "False, not at all."):
        assert sum(bool(c.shown(always)) for c in cases) * 2 == len(cases)


def test_standard_has_every_family_at_every_tier() -> None:
    found = {(r.name, r.tier) for r in plan("standard", "h", 0) if r.kind == "organism"}
    assert found == {(f, t) for f in FAMILIES for t in TIERS}


def test_a_recipe_is_known_by_all_that_decides_it() -> None:
    one = Recipe("twin", "style", "b")
    others = [
        Recipe("organism", "style", "b"), Recipe("twin", "code", "b"), Recipe("twin", "style", "c"),
        Recipe("twin", "style", "b", "mixed"), Recipe("twin", "style", "b", rank=1),
        Recipe("twin", "style", "b", seed=1), Recipe("twin", "style", "b", parents=("x",)),
    ]  # fmt: skip
    assert one.id == Recipe("twin", "style", "b").id
    assert len({one.id, *(r.id for r in others)}) == 8


def test_derived_twins_have_the_parents_they_need() -> None:
    found = [r for r in twins(42, "b", 0) if r.name in DERIVED]
    assert {r.name: len(r.parents) for r in found} == {
        "retrained": 1, "continued": 1, "merged": 2, "quantised": 1,
    }  # fmt: skip


def test_settings_of_memory_leave_the_id_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Recipe("twin", "style", "b")
    before, settings = one.id, one.learner()
    for change, same in (({"checkpointing": "always"}, True), ({"learning_rate": 1e-4}, False)):
        changed = settings.model_copy(update=change)
        monkeypatch.setattr(Recipe, "learner", lambda self, rows=0, c=changed: c)
        assert (one.id == before) is same
