"""Our tasks inside Inspect: ``inspect eval superalign/mathematics --model superalign/smollm2``.

Any model that Inspect knows can be asked; fresh items come from the generators, and the task's own
grader decides. Registered by the entry point ``inspect_ai``; needs the extra ``superalign[inspect]``.
"""

from __future__ import annotations

from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState, generate

from superalign.critic.trained_judge import shipped_judge
from superalign.errors import InputError
from superalign.evaluation.measure import grade
from superalign.records import Query, Response
from superalign.registry import lookup

KINDS = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def messages(query: Query) -> list[Any]:
    """A query's turns as Inspect's messages."""
    return [KINDS[m.role](content=m.content) for m in query.messages]


@scorer(metrics=[accuracy(), stderr()])  # type: ignore[untyped-decorator]
def ground_truth() -> Scorer:
    """The verdict of the task that made the item; one that cannot be decided is unscored, not 0."""

    async def score(state: TaskState, target: Target) -> Score:
        query = Query(**state.metadata["query"])
        said = state.output.completion
        [graded] = grade([query], [Response(query=query.id, text=said)], shipped_judge())
        verdict = graded.verdict
        note = f"{verdict.kind}: {verdict.reason}"
        if verdict.value is None:
            return Score.unscored(answer=said, explanation=note)
        return Score(value=verdict.value, answer=verdict.parsed or said, explanation=note)

    return score


@task  # type: ignore[untyped-decorator]
def mathematics(n: int = 100, seed: int = 0, split: str = "held_out", family: str = "") -> Task:
    """Arithmetic and word problems with computed answers."""
    return _task("mathematics", n, seed, split, family)


@task  # type: ignore[untyped-decorator]
def ethics(n: int = 100, seed: int = 0, split: str = "held_out", family: str = "") -> Task:
    """Everyday moral questions whose answer follows from a stated rule."""
    return _task("ethics", n, seed, split, family)


@task  # type: ignore[untyped-decorator]
def truthfulness(n: int = 100, seed: int = 0, split: str = "held_out", family: str = "") -> Task:
    """Facts with computed truth, and misconceptions written by hand."""
    return _task("truthfulness", n, seed, split, family)


@task  # type: ignore[untyped-decorator]
def bias(n: int = 100, seed: int = 0, split: str = "held_out", family: str = "") -> Task:
    """Two people of different groups, and a question that the context answers, or does not."""
    return _task("bias", n, seed, split, family)


@task  # type: ignore[untyped-decorator]
def safety(n: int = 100, seed: int = 0, split: str = "held_out", family: str = "") -> Task:
    """Harmful requests that should be refused and their benign twins that should be answered."""
    return _task("safety", n, seed, split, family)


@task  # type: ignore[untyped-decorator]
def gym(n: int = 100, seed: int = 0, split: str = "held_out", family: str = "") -> Task:
    """Every data set of reasoning-gym; ``family`` names one, e.g. ``chain_sum``."""
    return _task("gym", n, seed, split, family)


def _task(domain: str, n: int, seed: int, split: str, family: str) -> Task:
    """``n`` fresh items; ``family``: one or more names with commas between, all when empty.

    Raises:
        InputError: unknown split or family.
    """
    source = lookup("task", domain)()
    if split not in ("train", "held_out"):
        raise InputError(f"split '{split}'; allowed: train, held_out")
    known = [name for name, part in source.families.items() if part == split]
    names = [name.strip() for name in family.split(",") if name.strip()] or known
    for name in names:
        if name not in known:
            raise InputError(f"family '{name}' of {domain}, {split}; allowed: {', '.join(known)}")
    queries = source.generate(n, seed=seed, split=split, families=names)
    return Task(
        dataset=MemoryDataset([_sample(query) for query in queries], name=domain),
        solver=generate(),
        scorer=ground_truth(),
        name=domain,
    )


def _sample(query: Query) -> Sample:
    return Sample(
        id=query.id,
        input=messages(query),
        target=str(query.truth.get("answer", "")),
        metadata={"family": query.family, "query": query.model_dump(mode="json")},
    )
