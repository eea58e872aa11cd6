"""The page: complete, escaped, self-contained, small, and unmoved by gaps."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_example import example_questions, example_summary, example_transcripts

from superalign.errors import StoreError
from superalign.report import write_report
from superalign.report.run_report import MAX_BYTES, render

VOID = {"meta", "br", "input", "link", "img", "hr"}
EVIL = "<script>alert('owned')</script>\"'><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """Collects tags and attributes, and fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{tag} closes nothing"
        assert self.open.pop() == tag

    def count(self, name: str) -> int:
        return sum(tag == name for tag, _ in self.tags)


@pytest.fixture(scope="module")
def full() -> str:
    return render(example_summary(), example_transcripts(), example_questions())


def test_writes_one_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(example_summary(), example_transcripts(), example_questions(), path)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(StoreError):
        write_report({}, [], [], tmp_path / "no such folder" / "report.html")


def test_full_page_parses_and_says_what_matters(full: str) -> None:
    page = Page(full)
    assert page.count("section") == 8
    assert page.count("figure") > 10
    for words in (
        "smollm2", "9f2c31d07ab4e6d1", "human labels in this run were simulated", "improved",
        "worse", "unchanged", "not measured", "all 80 answers unparsed", "26 min 03 s", "2.31 GB",
        "base64 disguise", "reward rose while truth fell", "failed → passed", "many small steps",
    ):  # fmt: skip
        assert words in full, words
    assert "not in this run" not in full
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {f"#{i}" for i in ids} >= {a["href"] for tag, a in page.tags if tag == "a"}


def test_loads_nothing_and_runs_only_its_own_script(full: str) -> None:
    assert "http:" not in full
    assert "https:" not in full
    assert "url(" not in full
    page = Page(full)
    for tag, attributes in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv")) or ""
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", full, re.S)
        assert len(content) == 1
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def _poisoned(value: Any) -> Any:
    """``value`` with every string, keys included, ending in markup."""
    if isinstance(value, dict):
        return {k: _poisoned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_poisoned(v) for v in value]
    return value + EVIL if isinstance(value, str) else value


def test_escapes_whatever_models_and_users_wrote(full: str) -> None:
    summary = _poisoned(example_summary())
    summary["held_out"] |= {EVIL: {"before": {EVIL: 0.5}, "after": {EVIL: 0.6}}}
    summary["seconds_per_phase"][EVIL] = 3.0
    summary["held_out_breakdown"][EVIL] = {EVIL: {}}
    for entry in summary["rounds"]:
        for part in ("critic", "progress", "ledger"):
            entry[part][EVIL] = {EVIL: 0.1}
    page = render(summary, _poisoned(example_transcripts(9)), _poisoned(example_questions()))
    parsed = Page(page)
    assert parsed.count("script") == 1
    assert parsed.count("img") == 0
    assert "&lt;script&gt;alert(" in page
    assert not any(name.startswith("on") for _, a in parsed.tags for name in a)


@pytest.mark.parametrize(
    "summary",
    [
        {}, {"rounds": [{}], "held_out": {"safety": {}}}, {"rounds": None, "held_out": 3},
        {"rounds": [{"critic": {"safety": {}}, "attacks": [{}], "ledger": {"safety": None}}]},
        {"rounds": [{"round": 1, "progress": {"safety": {"asr": None}}, "attacks": "none"}]},
        {"held_out": {"x": {"before": {"asr": {"value": float("nan"), "n": 3}}, "after": None}}},
        {"notes": "one", "human_labels": {"simulated": False}, "seconds": "long"},
    ],
)  # fmt: skip
def test_gaps_are_named_and_never_fatal(summary: dict[str, Any]) -> None:
    page = render(summary, [{}], [{}])
    Page(page)
    assert "not in this run" in page
    assert "labels in this run were simulated" not in page


def test_every_single_missing_key_is_survived() -> None:
    def without(value: Any) -> list[Any]:
        """All copies of ``value`` that lack one key or hold null there, one level at a time."""
        found: list[Any] = []
        for key, inner in value.items() if isinstance(value, dict) else ():
            rest = {k: v for k, v in value.items() if k != key}
            found += [rest, rest | {key: None}]
            found += [rest | {key: v} for v in without(inner)]
        if isinstance(value, list) and value:
            found += [[v] for v in without(value[0])]
        return found

    summary = example_summary()
    summary["rounds"] = summary["rounds"][:1]
    keep = {k: v for k, v in summary["rounds"][0].items() if k != "critic"}
    small: dict[str, Any] = {"critic": {"safety": {"ece": None, "reliability": [{}]}}}
    variants = without(summary | {"rounds": [keep | small]})
    assert len(variants) > 100
    for variant in variants[::3]:
        assert render(variant, [], []).endswith("</html>")


def test_before_and_after_of_one_prompt_share_a_card(full: str) -> None:
    cards = [a for tag, a in Page(full).tags if tag == "details" and "data-item" in a]
    assert len(cards) == 72  # 60 pairs and 12 training answers
    marks = [json.loads(c["data-verdict"] or "") for c in cards]
    assert any("fixed" in m for m in marks)
    assert any("broken" in m for m in marks)
    assert not any("open" in c for c in cards)


def test_too_much_text_is_shortened_and_says_so() -> None:
    row = example_transcripts(1)[0] | {"response": "<&>" * 20_000}
    page = render({}, [row | {"prompt": str(i)} for i in range(300)], [])
    assert len(page.encode()) < MAX_BYTES
    assert "more characters not shown" in page
    assert "300 sampled answers" in page
    wide = row | {"critique": {"claims": [{"fix": "<" * 700}] * 9}}
    page = render({}, [wide | {"prompt": str(i)} for i in range(300)], [])
    assert len(page.encode()) < MAX_BYTES
    assert re.search(r"\d+ of 300 sampled answers", page)


def test_text_that_html_cannot_hold(tmp_path: Path) -> None:
    row = {"prompt": "a\x00b\ud800c", "response": None, "verdict": None, "critique": {"claims": 3}}
    path = tmp_path / "report.html"
    write_report({"model": "\ud800"}, [row], [{"prompt": [{"role": None}]}], path)
    assert "a�b�c" in path.read_text(encoding="utf-8")
