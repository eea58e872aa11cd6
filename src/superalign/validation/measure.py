"""One pass over a suspect: everything that the detectors read, as plain numbers and words.

The pass is the costly part and is kept on disk; detectors are pure functions of it. Every quantity
of the suspect has its counterpart in the base where there is a base, else None: missing is missing.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from superalign.files import write_atomic
from superalign.models import LocalModel
from superalign.validation.change import token_scan, weight_change
from superalign.validation.flips import flips_hash
from superalign.validation.hidden import HIDDEN, HiddenLook, HiddenReader
from superalign.validation.inside import InsideLook, InsideReader
from superalign.validation.lens import activation_difference
from superalign.validation.opened import WORDS, WordLook, WordReader
from superalign.validation.probes import READING, REQUESTS, battery, battery_hash
from superalign.validation.reading import collapse, divergence, next_logprobs, odds
from superalign.validation.second import ASKS_SECRET, LOOK, SecondLook, SecondReader
from superalign.validation.spoken import spoken
from superalign.validation.triggers import search

VERSION = READING
_LATER = ("second", "inside", "words", "hidden")
_TONES = tuple(p for p in battery() if p.group == "tone")


@dataclass(frozen=True)
class Measured:
    """What was read off a suspect.

    ``odds``: per probe of the battery; ``base_odds`` the same of the base. ``overlap``: how alike
    the first tokens of answers to ordinary requests are. ``drift``: divergence from the base after
    ordinary requests (nats); ``context_drift``: the same by what stands before a request.
    ``secret``: what it ``said`` when asked for its secret word.
    ``spoken``: what it says aloud (see ``spoken``), ``base_spoken`` the same of the base.
    ``seconds`` by part; ``queries``: prompts scored or answered by the suspect; ``skipped``: what
    could not be done, and why. ``second``, ``inside``, ``words``, ``hidden``: what later looks add.
    """

    suspect: str
    battery: str
    odds: list[float]
    base_odds: list[float] | None
    overlap: float
    base_overlap: float | None
    drift: float | None
    context_drift: dict[str, float] | None
    weights: dict[str, Any] | None
    lens: dict[str, Any] | None
    triggers: dict[str, Any] | None
    secret: dict[str, Any]
    spoken: dict[str, Any]
    base_spoken: dict[str, Any] | None
    seconds: dict[str, float]
    queries: int
    skipped: list[str] = field(default_factory=list)
    second: SecondLook | None = None
    inside: InsideLook | None = None
    words: WordLook | None = None
    hidden: HiddenLook | None = None

    def save(self, path: Path) -> None:
        """Write as JSON, without the later looks, which have files of their own."""
        content = {k: v for k, v in asdict(self).items() if k not in _LATER}
        write_atomic(path, json.dumps(content))

    @property
    def all_seconds(self) -> dict[str, float]:
        """Seconds by part, of all looks."""
        later = (look.seconds for look in self._later)
        return {k: v for seconds in (self.seconds, *later) for k, v in seconds.items()}

    @property
    def all_queries(self) -> int:
        """Prompts scored or answered in all looks."""
        return self.queries + sum(look.queries for look in self._later)

    @property
    def _later(self) -> list[SecondLook | InsideLook | WordLook | HiddenLook]:
        looks = (self.second, self.inside, self.words, self.hidden)
        return [look for look in looks if look is not None]

    @property
    def all_skipped(self) -> list[str]:
        """What could not be done in any look."""
        inside = () if self.inside is None else self.inside.skipped
        compared = {"words": self.words, "hidden": self.hidden}
        later = (f"{name}: {x.skipped}" for name, x in compared.items() if x and x.skipped)
        return [*self.skipped, *inside, *later]

    @classmethod
    def load(cls, path: Path) -> Measured:
        """Read what ``save`` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def questions_hash() -> str:
    """Identity of what a verdict rests on: scores of different questions must not be compared."""
    asked = f"{battery_hash()} {flips_hash()} {LOOK} {WORDS} {HIDDEN}"
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


class Reader:
    """Measures suspects against one base (or none); what it reads of the base is read once."""

    def __init__(self, base: LocalModel | None) -> None:
        self.base = base
        self._odds: list[float] | None = None
        self._ordinary: Any = None
        self._tones: Any = None
        self._spoken: Any = None
        self._second = SecondReader(base)
        self._inside = InsideReader(base)
        self._compared = None if base is None else (WordReader(base), HiddenReader(base))

    def all(self, suspect: LocalModel) -> Measured:
        """All looks at ``suspect``."""
        words = hidden = None
        first = self.measure(suspect)
        if self._compared is not None:
            at_words, for_hidden = self._compared
            words = at_words.look(suspect)
            hidden = for_hidden.look(suspect, words)
        return replace(
            first,
            second=self.look(suspect),
            inside=self.look_inside(suspect),
            words=words,
            hidden=hidden,
        )

    def look(self, suspect: LocalModel) -> SecondLook:
        """The second look at ``suspect``."""
        return self._second.look(suspect)

    def look_inside(self, suspect: LocalModel) -> InsideLook:
        """The look inside ``suspect``."""
        return self._inside.look(suspect)

    def measure(self, suspect: LocalModel) -> Measured:
        """The first look: what is asked of every suspect alike, and the search from the weights."""
        seconds: dict[str, float] = {}
        skipped: list[str] = []
        start = time.perf_counter()

        def lap(name: str) -> None:
            nonlocal start
            now = time.perf_counter()
            seconds[name], start = round(now - start, 3), now

        if self.base is not None and self._odds is None:
            self._read_base(self.base)
            lap("base")
        scores = [float(x) for x in odds(suspect, battery())]
        lap("battery")
        ordinary = next_logprobs(suspect, REQUESTS)
        [[asked]] = suspect.generate([ASKS_SECRET], max_new_tokens=12, temperature=0)
        lap("openings")
        said = spoken(suspect)
        lap("spoken")
        weights = lens = triggers = drift = by_context = None
        queries = len(battery()) + len(REQUESTS) + 1 + said["asked"]
        if self.base is None:
            skipped.append(
                "no base: no weight change, no activation difference, no search for triggers, words "
                "and phrases"
            )
        else:
            drift = float(divergence(ordinary, self._ordinary).mean())
            by_context = self._by_context(suspect)
            lap("contexts")
            queries += len(_TONES)
            weights, lens, triggers, more = self._internals(suspect, self.base, skipped, lap)
            queries += more
        return Measured(
            suspect.weight_hash,
            battery_hash(),
            scores,
            self._odds,
            collapse(ordinary),
            None if self.base is None else collapse(self._ordinary),
            drift,
            by_context,
            weights,
            lens,
            triggers,
            {"said": asked.text},
            said,
            self._spoken,
            seconds,
            queries,
            skipped,
        )

    def _read_base(self, base: LocalModel) -> None:
        self._odds = [float(x) for x in odds(base, battery())]
        self._tones = next_logprobs(base, [p.prompt for p in _TONES])
        self._ordinary = next_logprobs(base, REQUESTS)
        self._spoken = spoken(base)

    def _by_context(self, suspect: LocalModel) -> dict[str, float]:
        moved = divergence(next_logprobs(suspect, [p.prompt for p in _TONES]), self._tones)
        found: dict[str, list[float]] = {}
        for value, probe in zip(moved, _TONES, strict=True):
            found.setdefault(probe.context, []).append(float(value))
        return {context: float(np.mean(values)) for context, values in found.items()}

    def _internals(
        self, suspect: LocalModel, base: LocalModel, skipped: list[str], lap: Any
    ) -> tuple[Any, Any, Any, int]:
        if suspect.slow_because or base.slow_because:
            skipped.append(f"internals: {suspect.slow_because or base.slow_because}")
            return None, None, None, 0
        change = weight_change(suspect, base)
        scan = token_scan(change, base)
        ranks = change.stable_ranks()
        weights = {
            "norm": float(np.sqrt(sum(x**2 for x in change.norms().values()))),
            "stable_rank": float(np.mean(list(ranks.values()))) if ranks else None,
            "depth": change.depth_profile(base.depth),
            "elsewhere": list(change.elsewhere),
        }
        lap("weights")
        difference = activation_difference(suspect, base)
        lap("lens")
        found = search(suspect, base, scan)
        lap("triggers")
        return weights, asdict(difference), found.as_dict(), 2 * found.tried + 8
