"""Transcripts and human questions as cards: clipped, paired before and after, ready to filter."""

from __future__ import annotations

import json
import re
from typing import Any

from superalign.report.numbers import domain_order, mapping, number, rows, text

Card = dict[str, Any]
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
EXCERPT = 160


def clip(value: Any, limit: int) -> str:
    """``value`` as text of at most ``limit`` characters, saying how much was cut.

    Control characters and lone surrogates, which HTML cannot hold, become U+FFFD.
    """
    words = CONTROL.sub("�", "" if value is None else str(value))
    if len(words) <= limit:
        return words
    return f"{words[:limit]} … [{len(words) - limit:,} more characters not shown]"


def cards(transcripts: list[dict[str, Any]], limit: int) -> list[Card]:
    """One card per transcript; a before and an after of the same prompt share one, shown first."""
    grouped: dict[str, list[Card]] = {}
    for row in rows(transcripts):
        grouped.setdefault(_identity(row), []).append(_side(row, limit))
    found = [card for sides in grouped.values() for card in _join(sides)]
    return sorted(
        found, key=lambda c: (domain_order(c["domain"]), -len(c["sides"]), c["round"] or 0)
    )


def asked(questions: list[dict[str, Any]], limit: int) -> list[Card]:
    """What the humans were asked and what they said."""
    return [
        {
            "round": number(row.get("round")),
            "domain": text(row.get("domain"), "no domain"),
            "turns": turns(row.get("prompt"), limit),
            "excerpt": excerpt(row.get("prompt")),
            "response": clip(row.get("response"), limit),
            "members": _probabilities(row.get("members")),
            "answer": _answer(row.get("answer")),
            "source": text(row.get("source"), "source unknown"),
            "reason": clip(row.get("reason"), limit),
        }
        for row in rows(questions)
    ]


def facets(found: list[Card]) -> dict[str, list[str]]:
    """The values that the filters offer."""
    rounds = {s["round"] for c in found for s in c["sides"] if s["round"] is not None}
    return {
        "domain": sorted({c["domain"] for c in found}, key=domain_order),
        "operator": sorted({c["operator"] for c in found}),
        "round": [f"{r:g}" for r in sorted(rounds)],
    }


def turns(prompt: Any, limit: int) -> list[dict[str, str]]:
    """A prompt, string or messages, as a list of turns."""
    if not isinstance(prompt, list):
        return [{"role": "user", "content": clip(prompt, limit)}]
    return [
        {"role": text(m.get("role"), "user"), "content": clip(m.get("content"), limit)}
        for m in rows(prompt)
    ]


def excerpt(prompt: Any) -> str:
    """The start of the last user turn, on one line."""
    said = [t["content"] for t in turns(prompt, 4 * EXCERPT) if t["role"] == "user"]
    line = " ".join(said[-1].split()) if said else ""
    return line if len(line) <= EXCERPT else line[:EXCERPT].rstrip() + "…"


def _identity(row: dict[str, Any]) -> str:
    return json.dumps([row.get(k) for k in ("domain", "operator", "prompt")], default=str)


def _side(row: dict[str, Any], limit: int) -> Card:
    verdict = mapping(row.get("verdict"))
    return {
        "domain": text(row.get("domain"), "no domain"),
        "operator": text(row.get("operator"), "plain"),
        "family": text(row.get("family"), ""),
        "round": number(row.get("round")),
        "phase": text(row.get("phase"), "phase unknown"),
        "turns": turns(row.get("prompt"), limit),
        "excerpt": excerpt(row.get("prompt")),
        "response": clip(row.get("response"), limit),
        "outcome": _outcome(verdict.get("value")),
        "kind": text(verdict.get("kind"), "no kind"),
        "reason": clip(verdict.get("reason"), limit),
        "critique": _critique(row.get("critique"), limit),
    }


def _outcome(value: Any) -> str:
    found = number(value)
    if found is None:
        return "undecided"
    return "passed" if found >= 0.5 else "failed"


def _critique(value: Any, limit: int) -> Card | None:
    critique = mapping(value)
    if not critique:
        return None
    claims = [
        {k: clip(c.get(k), limit) for k in ("kind", "location", "fix", "source")}
        | {"severity": number(c.get("severity"))}
        for c in rows(critique.get("claims"))
    ]
    return {
        "acceptable": number(critique.get("acceptable")),
        "confidence": number(critique.get("confidence")),
        "claims": claims,
        "scores": _probabilities(critique.get("scores")),
        "explanation": clip(critique.get("explanation"), limit),
    }


def _probabilities(value: Any) -> list[tuple[str, float]]:
    return [(k, p) for k, v in mapping(value).items() if (p := number(v)) is not None]


def _answer(value: Any) -> str:
    found = number(value)
    if found is None:
        return "no answer"
    return "acceptable" if found >= 0.5 else "not acceptable"


def _join(sides: list[Card]) -> list[Card]:
    """Befores and afters of one prompt pair up in order; whatever is left stands alone."""
    before = [s for s in sides if s["phase"] == "before"]
    after = [s for s in sides if s["phase"] == "after"]
    paired = list(zip(before, after, strict=False))
    used = {id(s) for pair in paired for s in pair}
    return [_card([*pair]) for pair in paired] + [_card([s]) for s in sides if id(s) not in used]


def _card(sides: list[Card]) -> Card:
    first, last = sides[0]["outcome"], sides[-1]["outcome"]
    marks = {s["outcome"] for s in sides}
    if (first, last) == ("failed", "passed"):
        marks.add("fixed")
    if (first, last) == ("passed", "failed"):
        marks.add("broken")
    shared = {
        k: sides[-1][k] for k in ("domain", "operator", "family", "round", "turns", "excerpt")
    }
    phase = " → ".join(s["phase"] for s in sides)
    outcome = " → ".join(dict.fromkeys(s["outcome"] for s in sides))
    rounds = " ".join(dict.fromkeys(f"{s['round']:g}" for s in sides if s["round"] is not None))
    return shared | {
        "sides": sides, "phase": phase, "outcome": outcome, "last": last, "rounds": rounds,
        "marks": " ".join(sorted(marks)),
    }  # fmt: skip
