"""Requests and answers before a monitor, one at a time as in use: verdicts with what they cost."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from superalign.critic.monitor import RiskMonitor
from superalign.critic.trained_judge import shipped_judge
from superalign.statistics import mean, proportion
from superalign.tasks.refusal import Refuses

Verdict = dict[str, Any]


def screen(
    monitor: RiskMonitor,
    texts: Sequence[tuple[str, str | None]],
    progress: Callable[[float], None] = lambda share: None,
    refuses: Refuses | None = None,
) -> list[dict[str, Verdict | None]]:
    """A verdict on each query and, where there is one, on its response.

    Args:
        monitor: calibrated.
        texts: query and response, or None.
        progress: told the share that is done.
        refuses: judge of refusals, by default the shipped one.

    Returns:
        ``{"query": …, "response": …}`` a row, each ``{score, thresholds, action, domain, seconds}``;
        a response's also ``refused``. A response that refuses is allowed whatever its score: it
        names the topic and gives nothing of it. What is allowed has no domain.
    """
    judge, found = refuses or shipped_judge(), []
    for done, (query, response) in enumerate(texts, 1):
        row: dict[str, Verdict | None] = {"query": _verdict(monitor, query), "response": None}
        if response is not None:
            row["response"] = _answered(_verdict(monitor, response), refused=bool(judge(response)))
        found.append(row)
        progress(done / len(texts))
    return found


def _verdict(monitor: RiskMonitor, text: str) -> Verdict:
    limits = monitor.thresholds
    if limits is None:
        raise ValueError("calibrate the monitor first")
    monitor.states.forget()
    start = time.perf_counter()
    score = float(monitor.score([text])[0])
    action = limits.action(score)
    domain = None if action == "allow" else monitor.domains([text])[0][0]
    return {
        "score": score,
        "thresholds": {"escalate": limits.escalate, "block": limits.block},
        "action": action,
        "domain": domain,
        "seconds": time.perf_counter() - start,
    }


def _answered(verdict: Verdict, *, refused: bool) -> Verdict:
    harmless = {"action": "allow", "domain": None} if refused else {}
    return verdict | harmless | {"refused": refused}


def screened(rows: Sequence[dict[str, Verdict | None]]) -> dict[str, Any]:
    """Shares of the actions and seconds per text, of queries and of responses."""
    found: dict[str, Any] = {}
    for part in ("query", "response"):
        verdicts = [v for row in rows if (v := row[part]) is not None]
        counts = Counter(v["action"] for v in verdicts)
        seconds = [v["seconds"] for v in verdicts]
        found[part] = {
            "actions": {
                action: proportion(counts[action], len(verdicts)).as_dict()
                for action in ("allow", "escalate", "block")
            },
            "seconds": mean(seconds).as_dict(),
            "median_seconds": statistics.median(seconds) if seconds else None,
            "worst_seconds": max(seconds, default=None),
        }
    return found
