"""PyRIT's results, judged again: its memory (an SQLite file) or conversations exported as JSON.

PyRIT keeps every message and score in a database (tables ``PromptMemoryEntries``, ``ScoreEntries`` and
``AttackResultEntries``; read as PyRIT 1.1 writes them). Earlier versions could also export a list of message
pieces as JSON. From the database only the conversations with the attacked model are taken; an export does not
tell them from those of an attacking model. An answer that is blocked, empty or no text is missing.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superalign.critic.trained_judge import shipped_judge
from superalign.errors import InputError
from superalign.evaluation.garak_report import Finding
from superalign.evaluation.measure import Graded, attack_success, grade
from superalign.records import Message, Query, Response, Role
from superalign.statistics import proportion
from superalign.tasks.safety import stems

ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "tool": "user"}
UNKNOWN = "unknown"  # attack of a conversation without a recorded one
PIECES = """SELECT original_prompt_id, role, conversation_id, sequence, converted_value,
    converted_value_data_type, response_error FROM PromptMemoryEntries ORDER BY rowid"""
SCORES = """SELECT prompt_request_response_id, score_value, score_type, scorer_class_identifier
    FROM ScoreEntries"""
RESULTS = """SELECT conversation_id, objective, outcome, atomic_attack_identifier
    FROM AttackResultEntries ORDER BY rowid"""
Row = dict[str, Any]


@dataclass(frozen=True)
class Conversation:
    """One attack as it was led.

    Attributes:
        attack: PyRIT's name of the strategy, such as ``PromptSendingAttack``.
        objective: what it was after; the first user turn where none is recorded.
        turns: all messages before the last answer.
        answer: the last answer; None when there was none.
        scores: by scorer, in [0, 1], higher is worse (a refusal scorer's is turned round); None where it
            could not tell.
        outcome: what PyRIT says: True is success; None where it is undetermined or not recorded.
    """

    attack: str
    objective: str
    turns: tuple[Message, ...]
    answer: str | None
    scores: dict[str, float | None]
    outcome: bool | None


def read_conversations(path: Path) -> list[Conversation]:
    """All conversations with the attacked model.

    Raises:
        InputError: the file cannot be read or is none of PyRIT's.
    """
    try:
        if path.suffix == ".json":
            pieces = json.loads(path.read_text(encoding="utf-8"))
            results: list[Row] | None = None
        else:
            pieces, results = _read_memory(path)
        return list(_conversations(pieces, results))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not PyRIT's memory or JSON export ({type(error).__name__}: {error})"
        ) from error


def findings(conversations: Sequence[Conversation]) -> list[Finding]:
    """Every score as a finding, for ``garak_report.summarise``: attacks are probes, scorers detectors."""
    return [
        Finding(c.attack, scorer, c.turns[-1].content, c.answer, score)
        for c in conversations
        for scorer, score in c.scores.items()
    ]


def judged(conversations: Sequence[Conversation]) -> list[Graded]:
    """The same verdicts as a campaign's: an answer on topic that refuses nothing is a success."""
    queries = [
        Query(
            domain="safety",
            family=c.attack,
            split="held_out",
            messages=c.turns,
            truth={"harmful": True, "topic": stems(c.objective)},
            goal=c.objective,
            operator=c.attack,
        )
        for c in conversations
    ]
    answers = [
        Response(
            parent=q.id,
            query=q.id,
            text=c.answer or "",
            finished=None if c.answer is None else True,
        )
        for q, c in zip(queries, conversations, strict=True)
    ]
    return grade(queries, answers, shipped_judge())


def summarise(conversations: Sequence[Conversation]) -> list[dict[str, Any]]:
    """Per attack: success by PyRIT's own word and by our judge, with intervals and what is missing."""
    groups: defaultdict[str, list[tuple[Conversation, Graded]]] = defaultdict(list)
    for conversation, verdict in zip(conversations, judged(conversations), strict=True):
        groups[conversation.attack].append((conversation, verdict))
    rows = []
    for attack, pairs in sorted(groups.items()):
        known = [c.outcome for c, _ in pairs if c.outcome is not None]
        theirs = proportion(sum(known), len(known), missing=len(pairs) - len(known))
        ours = attack_success([g for _, g in pairs])
        rows.append({"attack": attack, "pyrit": theirs.as_dict(), "success": ours.as_dict()})
    return rows


def _read_memory(path: Path) -> tuple[list[Row], list[Row]]:
    if not path.is_file():
        raise FileNotFoundError(2, "No such file or directory")
    base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    base.row_factory = sqlite3.Row
    try:
        pieces, scores, results = (
            [dict(row) for row in base.execute(q)] for q in (PIECES, SCORES, RESULTS)
        )
    finally:
        base.close()
    by_piece: defaultdict[str, list[Row]] = defaultdict(list)
    for score in scores:
        score["scorer_class_identifier"] = json.loads(score["scorer_class_identifier"] or "{}")
        by_piece[score["prompt_request_response_id"]].append(score)
    for piece in pieces:
        piece["scores"] = by_piece[piece["original_prompt_id"]]
    for result in results:
        result["attack"] = _attack_name(json.loads(result["atomic_attack_identifier"] or "{}"))
    return pieces, results


def _conversations(pieces: Sequence[Row], results: Sequence[Row] | None) -> Iterable[Conversation]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for piece in pieces:
        groups[piece["conversation_id"]].append(piece)
    if results is None:
        results = [{"conversation_id": key} for key in groups]
    for result in results:
        found = _conversation(groups[result["conversation_id"]], result)
        if found is not None:
            yield found


def _conversation(pieces: list[Row], result: Row) -> Conversation | None:
    """None where the target was asked nothing."""
    turns: dict[int, list[Row]] = {}
    for piece in sorted(pieces, key=lambda p: int(p["sequence"])):
        turns.setdefault(int(piece["sequence"]), []).append(piece)
    parts = list(turns.values())
    last = parts.pop() if parts and _role(parts[-1]) == "assistant" else []
    said = tuple(Message(role=_role(p), content=_text(p) or "") for p in parts)
    asked = [m.content for m in said if m.role == "user"]
    if not asked or said[-1].role != "user":
        return None
    outcome = {"success": True, "failure": False}.get(str(result.get("outcome")))
    return Conversation(
        result.get("attack") or UNKNOWN,
        result.get("objective") or asked[0],
        said,
        _text(last),
        dict(_score(s) for piece in last for s in piece.get("scores") or ()),
        outcome,
    )


def _role(parts: list[Row]) -> Role:
    return ROLES.get(parts[0]["role"], "assistant")


def _text(parts: list[Row]) -> str | None:
    """The pieces of a message as one text; None where any of them failed or is no text."""
    well = all(
        p["converted_value_data_type"] == "text" and p.get("response_error") in (None, "none")
        for p in parts
    )
    text = "\n".join(p["converted_value"] or "" for p in parts)
    return text if parts and well else None


def _score(score: Row) -> tuple[str, float | None]:
    scorer = score.get("scorer_class_identifier") or {}
    name = str(scorer.get("class_name") or scorer.get("__type__") or UNKNOWN)
    value, text = None, str(score.get("score_value")).lower()
    if score.get("score_type") == "true_false" and text in ("true", "false"):
        value = float(text == "true")
    elif score.get("score_type") == "float_scale" and score.get("score_value") is not None:
        value = float(score["score_value"])
    refusing = "Refusal" in name  # true means that it refused
    return name, 1.0 - value if refusing and value is not None else value


def _attack_name(identifier: Row) -> str | None:
    """The strategy's class: the child ``attack``, directly or below the attack's technique."""
    children = identifier.get("children") or {}
    technique = children.get("attack_technique") or {}
    attack = children.get("attack") or (technique.get("children") or {}).get("attack") or {}
    return attack.get("class_name")
