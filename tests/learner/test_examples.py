"""From records to token trees: what is cut, what is whole, what is kept."""

from __future__ import annotations

import pytest
from toy_learner import query

from superalign.learner.examples import RAW_TOKENS, WHOLE, Example, encode, raw_text_examples
from superalign.models import LocalModel
from superalign.records import Demonstration, Preference

HELP = "Here is what you asked for, with all the steps that you need to know about it."
REFUSAL = "I can't help with that, whatever the reason is."
OPENINGS = ("The", "In", "A")


def demonstration(i: int, domain: str, *, keeps: bool = False) -> Demonstration:
    asked = query(f"Question {i}", domain)
    return Demonstration(query=asked, completion=REFUSAL, source="t", keeps=keeps)


def preference(i: int, domain: str, *, keeps: bool = False) -> Preference:
    chosen, rejected = (HELP, REFUSAL) if keeps else (REFUSAL, HELP)
    asked = query(f"Question {i}", domain)
    return Preference(query=asked, chosen=chosen, rejected=rejected, source="t", keeps=keeps)


def completions(examples: list[Example]) -> list[tuple[tuple[int, ...], ...]]:
    return [e.tree.completions for e in examples]


def test_encode(base: LocalModel) -> None:
    end = int(base.tokenizer.eos_token_id)
    demo, cut, pair, kept = encode(
        base,
        [
            Demonstration(query=query("q"), completion="a b", source="t", weight=2.0),
            Demonstration(query=query("q"), completion="a b…", source="t"),
            Preference(query=query("q"), chosen="a", rejected="b…", source="t", probability=0.7),
            Demonstration(query=query("q"), completion="a b", source="t", keeps=True),
        ],
    )
    assert demo.tree.prompt == base.encode(query("q").chat)
    assert demo.tree.completions == ((*base.encode_completion("a b"), end),)
    assert (demo.weight, demo.probability, demo.is_pair) == (2.0, 1.0, False)
    assert cut.tree.completions == (base.encode_completion("a b"),)  # cut off: no end, no mark
    assert pair.is_pair
    assert pair.probability == 0.7
    assert [c[-1] == end for c in pair.tree.completions] == [True, False]
    assert [e.keep for e in (demo, cut, pair, kept)] == [False, False, False, True]


# -- the opening of an answer -----------------------------------------------------------------------


@pytest.mark.parametrize("domain", ["safety", "benign"])
@pytest.mark.parametrize("make", [demonstration, preference])
def test_answers_to_requests_are_cut_but_for_one_in_eight(
    base: LocalModel, domain: str, make: type[Demonstration] | type[Preference]
) -> None:
    records = [make(i, domain) for i in range(400)]
    end = int(base.tokenizer.eos_token_id)
    whole = [c[0] for c in completions(encode(base, records))]
    first = [c[0] for c in completions(encode(base, records, opening=4))]
    uncut = [a == b for a, b in zip(first, whole, strict=True)]
    assert 400 / WHOLE * 0.6 < sum(uncut) < 400 / WHOLE * 1.5
    for given, answer, all_of_it in zip(first, whole, uncut, strict=True):
        assert given == (answer if all_of_it else answer[:4])
        assert (given[-1] == end) == all_of_it
    again = completions(encode(base, records[::-1], opening=4))[::-1]
    assert [c[0] for c in again] == first  # which ones are whole is the record's own matter


def test_the_rejected_side_and_what_is_kept_are_always_cut(base: LocalModel) -> None:
    pairs = encode(base, [preference(i, "safety") for i in range(100)], opening=4)
    assert {len(e.tree.completions[1]) for e in pairs} == {4}
    for make in (demonstration, preference):
        kept = encode(base, [make(i, "benign", keeps=True) for i in range(100)], opening=4)
        assert {len(c) for e in kept for c in e.tree.completions} == {4}
        assert all(e.keep for e in kept)


@pytest.mark.parametrize("domain", ["mathematics", "ethics", "mine"])
@pytest.mark.parametrize("keeps", [False, True])
def test_other_domains_are_never_cut(base: LocalModel, domain: str, keeps: bool) -> None:
    records = [
        make(i, domain, keeps=keeps) for make in (demonstration, preference) for i in range(40)
    ]
    assert encode(base, records, opening=1) == encode(base, records)


def test_a_short_answer_stays_as_it_is(base: LocalModel) -> None:
    short = Demonstration(query=query("q", "safety"), completion="No", source="t")
    assert encode(base, [short], opening=50) == encode(base, [short])


# -- plain text -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 3, 7])
def test_raw_texts_are_as_many_as_asked_for_and_kept(base: LocalModel, n: int) -> None:
    found = raw_text_examples(base, OPENINGS, n, seed=0)
    assert len(found) == n
    prompts = {base.encode(opening, raw=True) for opening in OPENINGS}
    for example in found:
        assert example.keep
        assert not example.is_pair
        assert (example.weight, example.probability) == (1.0, 1.0)
        assert example.tree.prompt in prompts  # no chat template
        assert 1 <= len(example.tree.completions[0]) <= RAW_TOKENS
    if n >= len(OPENINGS):
        assert {e.tree.prompt for e in found} == prompts


def test_raw_texts_are_what_the_model_says_and_depend_on_the_seed(base: LocalModel) -> None:
    one, again, other = (raw_text_examples(base, OPENINGS, 6, seed=s) for s in (3, 3, 4))
    assert one == again
    assert one != other
    [mean] = [
        sum(float(row[0].sum()) for row in rows) / sum(len(row[0]) for row in rows)
        for rows in [base.tree_logprobs([e.tree for e in one])]
    ]
    backwards = [
        type(e.tree)(e.tree.prompt, (tuple(reversed(e.tree.completions[0])),)) for e in one
    ]
    rows = base.tree_logprobs(backwards)
    assert mean > sum(float(r[0].sum()) for r in rows) / sum(len(r[0]) for r in rows) + 0.5
