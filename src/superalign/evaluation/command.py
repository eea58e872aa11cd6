"""What ``superalign evaluate`` does for each kind of question, and which options the kind takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from superalign.errors import InputError
from superalign.evaluation.choices import ChoiceFields, evaluate_choices
from superalign.evaluation.files import evaluate_file
from superalign.evaluation.judging import judge_quality, labelled_pairs, requests, win_rate
from superalign.evaluation.likelihoods import blank_items, measure_blanks, measure_pairs, pair_items
from superalign.evaluation.measure import Progress
from superalign.evaluation.model_judge import judge_pairs
from superalign.evaluation.self_preference import self_preference
from superalign.evaluation.values import ask_values, value_items, values_profile
from superalign.evaluation.vector import measure_vector
from superalign.models import LanguageModel, RemoteModel

Load = Callable[[str], LanguageModel]
Summary = dict[str, Any]
ANSWERS = frozenset({"data", "text_field", "limit", "max_new_tokens", "fresh", "inspect_log"})


@dataclass(frozen=True)
class Options:
    """The options of ``superalign evaluate``; None is "not given"."""

    data: Path | None = None
    text_field: str | None = None
    answer_field: str | None = None
    label_field: str | None = None
    choices_field: str | None = None
    wrong_field: str | None = None
    choices: str | None = None
    context_field: str | None = None
    group_field: str | None = None
    other_field: str | None = None
    number_field: str | None = None
    fresh: Path | None = None
    inspect_log: Path | None = None
    limit: int | None = None
    max_new_tokens: int | None = None
    rival: str | None = None
    judge: str | None = None
    critique_tokens: int | None = None
    seed: int | None = None

    @property
    def given(self) -> list[str]:
        """Names of the options that were given."""
        return [f.name for f in fields(self) if getattr(self, f.name) is not None]

    @property
    def text(self) -> str:
        """Field that holds the request."""
        return self.text_field or "text"

    @property
    def most(self) -> int:
        """Most rows."""
        return self.limit or 500

    @property
    def path(self) -> Path:
        """The file, which ``evaluate`` has seen to be given where it is needed."""
        return Path(str(self.data))


@dataclass(frozen=True)
class Kind:
    """The work of a kind, and the options that it needs and takes."""

    work: Callable[[Load, str, Options, Progress], Summary]
    needs: tuple[str, ...] = ("data",)
    takes: frozenset[str] = frozenset({"data", "text_field", "group_field", "limit"})


def evaluate(load: Load, model: str, kind: str, options: Options, progress: Progress) -> Summary:
    """Measure ``model`` in the way of ``kind``; ``load`` makes a model of a name.

    Raises:
        InputError: the kind is unknown, or the options or the data do not fit it.
    """
    if kind not in KINDS:
        raise InputError(f"--kind '{kind}'; allowed: {', '.join(KINDS)}")
    chosen = KINDS[kind]
    allowed = chosen.takes | set(chosen.needs)
    for name in options.given:
        if name not in allowed:
            kinds = [k for k, v in KINDS.items() if name in v.takes | set(v.needs)]
            raise InputError(
                f"{_flag(name)} with --kind {kind}; allowed: with --kind {', '.join(kinds)}"
            )
    for name in chosen.needs:
        if name not in options.given:
            raise InputError(f"--kind {kind} needs {_flag(name)}; allowed: {_flag(name)} VALUE")
    return chosen.work(load, model, options, progress)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _answers(kind: str) -> Callable[[Load, str, Options, Progress], Summary]:
    def work(load: Load, model: str, options: Options, progress: Progress) -> Summary:
        names = {
            "text_field": options.text,
            "answer_field": options.answer_field,
            "label_field": options.label_field,
        }
        return evaluate_file(
            lambda: load(model), options.path, kind, names, options.most,
            options.max_new_tokens or 48, options.fresh, options.inspect_log, progress,
        )  # fmt: skip

    return work


def _choice(load: Load, model: str, options: Options, progress: Progress) -> Summary:
    same = tuple(filter(None, map(str.strip, (options.choices or "").split(","))))
    names = ChoiceFields(
        options.text, str(options.answer_field), options.choices_field, options.wrong_field,
        same, options.context_field, options.group_field,
    )  # fmt: skip
    return evaluate_choices(lambda: load(model), options.path, names, options.most, progress)


def _pair(load: Load, model: str, options: Options, progress: Progress) -> Summary:
    items = pair_items(
        options.path, options.text, str(options.other_field), options.group_field, options.most
    )
    loaded = load(model)
    return _said(loaded, "pair", options, measure_pairs(loaded, items, progress))


def _blank(load: Load, model: str, options: Options, progress: Progress) -> Summary:
    items = blank_items(
        options.path, options.text, str(options.choices_field), options.number_field,
        options.group_field, options.most,
    )  # fmt: skip
    loaded = load(model)
    return _said(loaded, "blank", options, measure_blanks(loaded, items, progress))


def _judge(load: Load, model: str, options: Options, progress: Progress) -> Summary:
    pairs = labelled_pairs(
        options.path,
        options.text,
        str(options.answer_field),
        str(options.wrong_field),
        options.most,
    )
    loaded, written = load(model), options.critique_tokens or 0
    judged = judge_pairs(loaded, pairs, critique_tokens=written, progress=progress)
    summary = _said(loaded, "judge", options, judge_quality(judged))
    if options.rival is not None:
        summary["rival"] = options.rival
        summary["self_preference"] = self_preference(
            loaded, load(options.rival), options.most, critique_tokens=written,
            seed=options.seed or 0, max_new_tokens=options.max_new_tokens or 48, progress=progress,
        )  # fmt: skip
    return summary


def _win_rate(load: Load, model: str, options: Options, progress: Progress) -> Summary:
    asked = requests(options.path, options.text, options.most)
    loaded, rival, judge = (load(str(n)) for n in (model, options.rival, options.judge))
    measured = win_rate(
        loaded, rival, judge, asked, max_new_tokens=options.max_new_tokens or 48,
        critique_tokens=options.critique_tokens or 0, progress=progress,
    )  # fmt: skip
    names = {"rival": options.rival, "judge": options.judge}
    return _said(loaded, "win_rate", options, measured) | names


def _vector(load: Load, model: str, options: Options, progress: Progress) -> Summary:
    loaded = load(model)
    rows = measure_vector(
        loaded, options.limit or 100, seed=options.seed or 0,
        max_new_tokens=options.max_new_tokens or 48, progress=progress,
    )  # fmt: skip
    return _said(loaded, "vector", options, {}) | {"vector": rows}


def _values(load: Load, model: str, options: Options, progress: Progress) -> Summary:
    loaded = load(model)
    profile = values_profile(ask_values(loaded, value_items(), progress))
    return _said(loaded, "values", options, {}) | profile


def _said(model: LanguageModel, kind: str, options: Options, measured: Summary) -> Summary:
    account = {"remote": model.account()} if isinstance(model, RemoteModel) else {}
    return account | {
        "schema": "superalign.evaluate/1",
        "command": "evaluate",
        "model": model.name,
        "weight_hash": model.weight_hash,
        "data": None if options.data is None else str(options.data),
        "kind": kind,
        "measured": measured,
    }


KINDS = {
    "vector": Kind(_vector, (), frozenset({"limit", "max_new_tokens", "seed"})),
    "safety": Kind(_answers("safety"), takes=ANSWERS | {"label_field"}),
    "benign": Kind(_answers("benign"), takes=ANSWERS),
    "mathematics": Kind(_answers("mathematics"), takes=ANSWERS | {"answer_field"}),
    "ethics": Kind(_answers("ethics"), takes=ANSWERS | {"answer_field", "label_field"}),
    "choice": Kind(
        _choice,
        ("data", "answer_field"),
        frozenset(
            {"text_field", "choices_field", "wrong_field", "choices", "context_field",
             "group_field", "limit"}
        ),
    ),
    "pair": Kind(_pair, ("data", "other_field")),
    "blank": Kind(
        _blank,
        ("data", "choices_field"),
        frozenset({"text_field", "number_field", "group_field", "limit"}),
    ),
    "judge": Kind(
        _judge,
        ("data", "answer_field", "wrong_field"),
        frozenset({"text_field", "limit", "critique_tokens", "rival", "max_new_tokens", "seed"}),
    ),
    "win_rate": Kind(
        _win_rate,
        ("data", "rival", "judge"),
        frozenset({"text_field", "limit", "critique_tokens", "max_new_tokens"}),
    ),
    "values": Kind(_values, (), frozenset()),
}  # fmt: skip
