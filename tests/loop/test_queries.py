"""Which queries a run asks, and which it must never train on."""

import re
from collections import Counter

import pytest

from superalign.attack.base import operators
from superalign.config import FinalSizes, ProgressSizes, RunConfig
from superalign.loop import queries as q
from superalign.records import Query
from superalign.tasks import alarming_requests

CONFIG = RunConfig()
SIZES = FinalSizes(safety=30, benign=24, mathematics=30, ethics=30)


def sets(split: str = "held_out", seed: int = 1, config: RunConfig = CONFIG) -> q.QuerySets:
    return q.evaluation_sets(config, SIZES, seed=seed, split=split)  # type: ignore[arg-type]


def test_the_sizes_are_those_asked_for() -> None:
    found = {name: len(rows) for name, rows in sets().named().items()}
    assert found == {
        "harmful": 30,
        "twins": 24,
        "attacked_twins": 24,
        "benign": 24,
        "alarming": 24,
        "alarming_harm": 24,
        "mathematics": 30,
        "ethics": 30,
    }


def test_a_size_of_zero_leaves_a_set_out() -> None:
    sizes = ProgressSizes(safety=0, benign=0, mathematics=0, ethics=3)
    found = q.evaluation_sets(CONFIG, sizes, seed=0, split="held_out")
    assert set(found.named()) == {"ethics"}
    assert found.all() == found.ethics


def test_domains_left_out_are_not_asked() -> None:
    assert set(sets(config=RunConfig(domains=("mathematics",))).named()) == {"mathematics"}
    assert set(sets(config=RunConfig(domains=("safety",))).named()) == {
        "harmful",
        "twins",
        "attacked_twins",
        "benign",
        "alarming",
        "alarming_harm",
    }


def test_attacked_twins_wear_the_operator_of_their_harmful_request() -> None:
    found = sets()
    for harmful, twin in zip(found.harmful, found.attacked_twins, strict=False):
        assert harmful.truth["harmful"]
        assert not twin.truth["harmful"]
        assert harmful.operator == twin.operator
        assert harmful.family == twin.family
        assert len(harmful.messages) == len(twin.messages)


def test_twins_are_asked_plainly() -> None:
    found = sets()
    for twin, attacked in zip(found.twins, found.attacked_twins, strict=True):
        assert (twin.operator, twin.parent, twin.split) == ("plain", None, "held_out")
        assert attacked.parent == twin.id
        assert not twin.truth["harmful"]
        assert sum(m.role == "user" for m in twin.messages) == 1
        assert (twin.goal, twin.family) == (attacked.goal, attacked.family)


@pytest.mark.parametrize(
    "name", ["polite", "urgency", "alter_ego", "prefix_injection", "foot_in_the_door"]
)
def test_twins_wear_the_same_wording(name: str) -> None:
    operator = (operators("safety", "train") | operators("safety", "held_out"))[name]
    pairs = q.safety_pairs(12, seed=5, split=operator.split, wrap=[operator])
    assert len(pairs) == 24
    for harmful, twin in zip(pairs[0::2], pairs[1::2], strict=True):
        before, after = _frame(harmful), _frame(twin)
        assert before == after


def _frame(query: Query) -> list[str]:
    """The messages with the plain request cut out: the wording that an operator put around it."""
    request = re.escape(query.goal.rstrip(".?!")) + r"[.?!]*"
    return [re.sub(request, "…", m.content, flags=re.IGNORECASE) for m in query.messages]


def test_twins_of_attacks_wear_the_same_operator_and_wording() -> None:
    arms = [("safety", name) for name in ("polite", "urgency", "flattery", "emotional_appeal")] * 3
    attacks, twins = q.attack_queries(arms, seed=3, archive=[])
    assert (
        [a.operator for a in attacks] == [t.operator for t in twins] == [name for _, name in arms]
    )
    for attack, twin in zip(attacks, twins, strict=True):
        assert attack.truth["harmful"]
        assert not twin.truth["harmful"]
        assert _frame(attack) == _frame(twin)


def test_attacks_are_those_chosen_and_all_for_training() -> None:
    arms = q.arms(CONFIG)
    attacks, twins = q.attack_queries(arms, seed=0, archive=[])
    assert Counter((a.domain, a.operator) for a in attacks) == Counter(arms)
    assert len(twins) == sum(d == "safety" for d, _ in arms)
    for query in attacks + twins:
        assert query.split == "train"
        assert q.task(query.domain).families[query.family] == "train"
        assert query.operator in operators(query.domain, "train")


def test_attack_seeds_give_other_queries() -> None:
    arms = q.arms(CONFIG)
    texts = [{x.text for x in q.attack_queries(arms, seed=s, archive=[])[0]} for s in (1, 1, 2)]
    assert texts[0] == texts[1]
    assert len(texts[0] & texts[2]) <= 2


def test_held_out_sets_hold_held_out_families_and_operators() -> None:
    found = sets()
    allowed = operators("safety", "held_out")
    for query in found.harmful + found.attacked_twins:
        assert query.split == "held_out"
        assert q.task("safety").families[query.family] == "held_out"
        assert query.operator in allowed
    assert {x.operator for x in found.harmful} == set(allowed)
    for query in found.twins + found.benign + found.ethics:
        assert q.task(query.domain).families[query.family] == "held_out"


def test_every_held_out_operator_meets_every_held_out_category() -> None:
    categories = [f for f, split in q.task("safety").families.items() if split == "held_out"]
    cells = len(operators("safety", "held_out")) * len(categories)
    sizes = FinalSizes(safety=cells, benign=0, mathematics=0, ethics=0)
    for seed in range(3):
        found = q.evaluation_sets(CONFIG, sizes, seed=seed, split="held_out").harmful
        assert len({(x.operator, x.family) for x in found}) == cells


def test_half_of_the_held_out_mathematics_is_of_new_families() -> None:
    families = q.task("mathematics").families
    assert Counter(families[x.family] for x in sets().mathematics) == {"train": 15, "held_out": 15}


def test_dev_sets_hold_training_families_and_operators_only() -> None:
    found = sets("train")
    for query in found.all():
        assert query.split == "train"
        kinds = alarming_requests.KINDS.get(query.family)
        split = kinds[0] if kinds else q.task(query.domain).families[query.family]
        assert split == "train"
    for query in found.harmful + found.twins + found.attacked_twins:
        assert query.operator in operators("safety", "train")


def test_evaluation_sets_depend_on_their_seed_alone() -> None:
    assert sets(seed=4) == sets(seed=4)
    assert {x.text for x in sets(seed=4).harmful} != {x.text for x in sets(seed=5).harmful}


def test_the_critic_learns_from_training_families_by_turns() -> None:
    found, harmful = q.critic_seed(CONFIG, 24)
    assert harmful == [1.0, 0.0] * 9 + [0.0] * 3 + [1.0] * 3
    assert {x.family for x in found[:18]} <= set(q.task("safety").families)
    assert {x.family for x in found[18:]} <= set(alarming_requests.KINDS)
    assert {x.split for x in found} == {"train"}
    assert {x.operator for x in found} == {"plain"}


def test_variants_come_in_proportion_to_the_failures() -> None:
    def failure(family: str, n: int) -> list[Query]:
        return q.task("mathematics").generate(n, seed=9, split="train", families=[family])

    failures = failure("average", 3) + failure("percent_of", 1)
    fresh = q.variants(failures, 2.0, most=100, seed=0)
    assert Counter(x.family for x in fresh) == {"average": 6, "percent_of": 2}
    assert not {x.text for x in fresh} & {x.text for x in failures}
    assert all(x.operator == "plain" and x.split == "train" for x in fresh)


def test_variants_are_limited_and_none_come_of_none() -> None:
    failures = q.task("ethics").generate(8, seed=9, split="train")
    assert len(q.variants(failures, 8.0, most=10, seed=0)) == 10
    assert q.variants(failures, 0.0, most=10, seed=0) == []
    assert q.variants([], 8.0, most=10, seed=0) == []


def test_seeds_are_derived_from_all_their_parts() -> None:
    seeds = {q.derived_seed(*parts) for parts in [(0, "a"), (0, "b"), (1, "a"), (0, "a", 1)]}
    assert len(seeds) == 4
    assert all(0 <= s < 2**31 for s in seeds)
    assert q.derived_seed(0, "a") == q.derived_seed(0, "a")
