"""Requests from many coroutines share the model's batches."""

import asyncio
import time

import pytest

from superalign.evaluation.batcher import Batcher, Sampling
from superalign.models.fake import FakeModel


def test_a_crowd_shares_few_batches_and_everyone_gets_their_own_answer() -> None:
    batcher = Batcher(FakeModel(lambda text, i: f"about {text}"))

    async def crowd() -> list[str]:
        rows = await asyncio.gather(*(batcher.generate(f"q{i}", Sampling()) for i in range(100)))
        return [row[0].text for row in rows]

    assert asyncio.run(crowd()) == [f"about q{i}" for i in range(100)]
    assert sum(batcher.batches) == 100
    assert len(batcher.batches) <= 5
    batcher.close()


def test_a_lone_request_does_not_wait() -> None:
    batcher = Batcher(FakeModel())
    batcher.submit("warm", Sampling()).result(timeout=10)
    start = time.perf_counter()
    batcher.submit("hello", Sampling()).result(timeout=10)
    assert time.perf_counter() - start < 1.0
    batcher.close()


def test_callers_that_come_back_one_by_one_share_the_next_batch() -> None:
    class Slow(FakeModel):
        def generate(self, prompts, **more):  # type: ignore[no-untyped-def]
            time.sleep(1.0)
            return super().generate(prompts, **more)

    batcher = Batcher(Slow())

    async def caller(k: int) -> None:
        await batcher.generate(f"first {k}", Sampling())
        await asyncio.sleep(0.01 * k)  # each is late by another while
        await batcher.generate(f"second {k}", Sampling())

    async def crowd() -> None:
        await asyncio.gather(*map(caller, range(12)))

    asyncio.run(crowd())
    assert batcher.batches == [12, 12]
    start = time.perf_counter()
    batcher.submit("alone", Sampling()).result(timeout=10)
    assert time.perf_counter() - start < 2.0, "nobody else comes: it is not waited for long"
    batcher.close()


def test_two_groups_that_take_turns_become_one() -> None:
    class Slow(FakeModel):
        def generate(self, prompts, **more):  # type: ignore[no-untyped-def]
            time.sleep(0.8)
            return super().generate(prompts, **more)

    batcher = Batcher(Slow())

    async def caller(k: int) -> None:
        await asyncio.sleep(0.2 if k >= 8 else 0.0)  # four come while the first eight are served
        for _ in range(3):
            await batcher.generate(f"from {k}", Sampling())
            await asyncio.sleep(0.01 * k)

    async def crowd() -> None:
        await asyncio.gather(*map(caller, range(12)))

    asyncio.run(crowd())
    batcher.close()
    assert batcher.batches == [8, 12, 12, 4]


def test_different_settings_do_not_share_a_batch() -> None:
    batcher = Batcher(FakeModel(lambda text, i: "one two three four"))
    futures = [batcher.submit("q", Sampling(max_new_tokens=k % 2 + 1)) for k in range(6)]
    words = [len(f.result(timeout=10)[0].text.split()) for f in futures]
    assert words == [1, 2] * 3
    batcher.close()


def test_an_error_reaches_its_callers_and_the_batcher_lives_on() -> None:
    class Broken(FakeModel):
        def generate(self, prompts, **more):  # type: ignore[no-untyped-def]
            if "bad" in prompts:
                raise ValueError("no")
            return super().generate(prompts, **more)

    batcher = Batcher(Broken())
    with pytest.raises(ValueError, match="no"):
        batcher.submit("bad", Sampling()).result(timeout=10)
    assert batcher.submit("good", Sampling()).result(timeout=10)
    batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit("late", Sampling())
