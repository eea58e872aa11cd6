"""The attacked model: plays moves turn by turn in batches, and says what that cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from superalign.models import Completion, LanguageModel, LocalModel
from superalign.records import Message, Query, Response

OPENING = 4  # tokens in which an answer shows whether it refuses


@dataclass(frozen=True)
class Move:
    """One attack on a goal.

    ``opening``: user turns asked first, one after the other; the target's own replies to them stand
    before the last turn of ``query``. Each turn is a query and costs one. ``suffix``: what a search
    with the weights starts from before the query is asked; None: no search.
    """

    query: Query
    opening: tuple[str, ...] = ()
    suffix: str | None = None

    @property
    def cost(self) -> int:
        """Number of queries."""
        return len(self.opening) + 1


@dataclass(frozen=True)
class Played:
    """A move as it was asked, its answer, its cost in GFLOP, and how near it came to another answer.

    ``nearness`` in [0, 1] is one minus the probability of the answer's own first tokens: near 0 for
    a refusal that was certain, near 1 for one that was chance. None where log-probabilities are not
    seen.
    """

    query: Query
    response: Response
    gflop: float
    nearness: float | None = None


class Target(Protocol):
    """What is attacked."""

    name: str

    def play(self, moves: Sequence[Move], *, n: int, seed: int) -> list[list[Played]]:
        """``n`` answers to each move."""
        ...


class ModelTarget:
    """A language model as a target.

    Args:
        model: the model.
        max_new_tokens: longest answer.
        temperature: of its sampling; 0 is greedy.
        logprobs: whether ``nearness`` is read off the answers' log-probabilities.
        stop: strings before which an answer ends, e.g. how a known refusal goes on.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        max_new_tokens: int,
        temperature: float,
        logprobs: bool = False,
        stop: Sequence[str] = (),
    ) -> None:
        self.model, self.name = model, model.name
        self.max_new_tokens, self.temperature, self.logprobs = max_new_tokens, temperature, logprobs
        self.stop = tuple(stop)
        self._hash = model.weight_hash
        self._gflop_per_token = gflop_per_token(model)

    def play(self, moves: Sequence[Move], *, n: int = 1, seed: int) -> list[list[Played]]:
        """See :class:`Target`. GFLOP: 2 per parameter and token read or written."""
        queries, spent = self._open(moves, seed)
        outs = self.model.generate(
            [q.chat for q in queries],
            n=n,
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            stop=self.stop,
            seed=seed,
        )
        rows = []
        for i, (query, several) in enumerate(zip(queries, outs, strict=True)):
            read = self._gflop_per_token * self._tokens(query) / n
            rows.append(
                [
                    Played(
                        query,
                        self._response(query, c.text, c.finished, seed * 1000 + j),
                        spent[i] / n + read + self._gflop_per_token * len(c.tokens),
                        _nearness(c) if self.logprobs else None,
                    )
                    for j, c in enumerate(several)
                ]
            )
        return rows

    def _open(self, moves: Sequence[Move], seed: int) -> tuple[list[Query], list[float]]:
        """Play the openings, all conversations one turn at a time; the queries with replies in."""
        before: list[list[Message]] = [[] for _ in moves]
        spent = [0.0] * len(moves)
        for turn in range(max((len(m.opening) for m in moves), default=0)):
            rows = [i for i, m in enumerate(moves) if len(m.opening) > turn]
            for i in rows:
                before[i].append(Message(role="user", content=moves[i].opening[turn]))
            chats = [[m.model_dump() for m in before[i]] for i in rows]
            outs = self.model.generate(
                chats,
                max_new_tokens=self.max_new_tokens,
                temperature=self.temperature,
                seed=seed + turn + 1,
            )
            for i, (done,) in zip(rows, outs, strict=True):
                reply = done.text.strip() or "\u2026"
                before[i].append(Message(role="assistant", content=reply))
                read = self._tokens_of([m.model_dump() for m in before[i][:-1]])
                spent[i] += self._gflop_per_token * (read + len(done.tokens))
        queries = [
            m.query
            if not said
            else Query(
                **m.query.model_dump(exclude={"id", "messages"}),
                messages=(*m.query.messages[:-1], *said, m.query.messages[-1]),
            )
            for m, said in zip(moves, before, strict=True)
        ]
        return queries, spent

    def _response(self, query: Query, text: str, finished: bool | None, seed: int) -> Response:
        return Response(
            parent=query.id,
            query=query.id,
            text=text.strip(),
            finished=finished,
            model=self.name,
            weight_hash=self._hash,
            seed=seed,
        )

    def _tokens(self, query: Query) -> int:
        return self._tokens_of(query.chat)

    def _tokens_of(self, chat: list[dict[str, str]]) -> int:
        if isinstance(self.model, LocalModel):
            return len(self.model.encode(chat))
        return sum(len(m["content"].split()) for m in chat)


def _nearness(done: Completion) -> float | None:
    return 1 - math.exp(sum(done.logprobs[:OPENING])) if done.logprobs else None


def gflop_per_token(model: LanguageModel) -> float:
    """2 FLOP per parameter and token; 0 for a model whose weights are not here."""
    if isinstance(model, LocalModel):
        return 2e-9 * float(sum(p.numel() for p in model.module.parameters()))
    return 0.0
