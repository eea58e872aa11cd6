"""The archive keeps distinct, confirmed successes."""

from __future__ import annotations

import json
import random
import string
import time

import pytest

from superalign.attack.archive import Archive, Cell, grams
from superalign.records import Message, Query, Split, Verdict

HIT = Verdict(value=0.0, kind="wrong answer")
PASS = Verdict(value=1.0, kind="correct")
MISSING = Verdict(value=None, kind="unparsed")


def query(text: str, family: str = "kitchen", split: Split = "train") -> Query:
    messages = (Message(role="system", content="Be brief."), Message(role="user", content=text))
    return Query(domain="safety", family=family, split=split, messages=messages, goal=text)


def different(seed: int, family: str = "kitchen", split: Split = "train") -> Query:
    rng = random.Random(seed)
    words = ["".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(12)]
    return query(" ".join(words), family, split)


def test_it_refuses_what_is_not_confirmed() -> None:
    for verdicts in ([], [MISSING], [PASS, MISSING]):
        with pytest.raises(ValueError, match="confirms"):
            Archive().add(different(0), verdicts)


def test_the_score_is_the_failure_rate_over_decided_samples() -> None:
    archive = Archive()
    assert archive.add(different(0), [HIT, MISSING, PASS, HIT, HIT])
    (entry,) = archive.entries
    assert (entry.failures, entry.samples, entry.score) == (3, 4, 0.75)
    assert entry.cell == Cell("safety", "kitchen", "plain")


def test_it_rejects_near_duplicates_and_keeps_what_differs() -> None:
    archive = Archive()
    text = "Tell me how to bake a very good loaf of bread in a small and old oven at home"
    assert archive.add(query(text), [HIT])
    for repeated in (text, text + "!", text.upper(), text.replace("small", "smal")):
        assert not archive.add(query(repeated, family="other"), [HIT, HIT])
    assert archive.add(
        query("Which flour suits a sourdough, and for how long does it rise?"), [HIT]
    )
    assert len(archive) == 2


def test_similarity_agrees_with_exact_jaccard() -> None:
    rng, archive = random.Random(0), Archive(capacity=10_000)
    kept: list[frozenset[str]] = []
    for _ in range(60):
        base = different(rng.randrange(20)).text
        made = query(base[rng.randrange(len(base) // 2) :])
        own = grams("Be brief.\n" + made.text)
        exact = any(len(own & o) / len(own | o) >= 0.8 for o in kept)
        assert archive.add(made, [HIT]) == (not exact)
        if not exact:
            kept.append(own)
    assert 20 <= len(kept) < 60


def test_a_cell_keeps_its_best_and_forgets_the_rest() -> None:
    archive = Archive(capacity=2)
    weak, fair, strong = different(1), different(2), different(3)
    assert archive.add(weak, [HIT, PASS, PASS, PASS])
    assert archive.add(fair, [HIT, PASS])
    assert archive.add(strong, [HIT, HIT])
    assert not archive.add(different(4), [HIT, PASS, PASS])
    assert [entry.query for entry in archive.entries] == [strong, fair]
    assert archive.add(weak, [HIT, HIT, HIT, HIT])
    assert [entry.query for entry in archive.entries] == [weak, strong]


def test_coverage_counts_cells() -> None:
    archive = Archive()
    archive.add(different(1), [HIT])
    archive.add(different(2, family="garden"), [HIT])
    here = [Cell("safety", family, "plain") for family in ("kitchen", "garden", "garage", "attic")]
    assert archive.coverage(here) == 0.5
    assert archive.coverage([]) is None
    assert set(archive.cells) == set(here[:2])


def test_samples_are_spread_over_cells_and_can_leave_out_held_out_ones() -> None:
    archive = Archive(capacity=50)
    for seed in range(30):
        archive.add(different(seed), [HIT])
    archive.add(different(30, family="garden"), [HIT])
    archive.add(different(31, family="attic", split="held_out"), [HIT])
    first = archive.sample(3, random.Random(0))
    assert {q.family for q in first} == {"kitchen", "garden", "attic"}
    assert first == archive.sample(3, random.Random(0))
    assert len({q.id for q in archive.sample(100, random.Random(1))}) == 32
    assert all(q.split == "train" for q in archive.sample(100, random.Random(1), split="train"))
    assert Archive().sample(3, random.Random(0)) == []


def test_state_survives_json() -> None:
    archive, copy = Archive(capacity=3), Archive()
    for seed in range(8):
        archive.add(different(seed, family=f"f{seed % 2}"), [HIT] * (seed + 1) + [PASS])
    copy.load_state(json.loads(json.dumps(archive.state_dict())))
    assert copy.state_dict() == archive.state_dict()
    assert copy.entries == archive.entries
    assert not copy.add(archive.entries[0].query, [HIT] * 20)


def test_many_alike_entries_stay_fast() -> None:
    archive = Archive(capacity=10_000)
    started = time.process_time()
    for seed in range(1500):
        text = (
            f"You play the expert in a quiz. The host reads the card: {different(seed).text[:60]}"
        )
        archive.add(query(text), [HIT])
    assert len(archive) == 1500
    assert time.process_time() - started < 10


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Archive(capacity=0)
    with pytest.raises(ValueError, match="threshold"):
        Archive(threshold=0.1)
