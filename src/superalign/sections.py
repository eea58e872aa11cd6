"""Sections of settings: small frozen models, read from YAML and ``--set key=value``.

YAML, ``--set``, error messages, ``dump_config`` and ``describe`` follow from the fields of a section.
Every mistake in what the user wrote becomes one ``InputError`` line: what, where, what is allowed.
"""

from __future__ import annotations

import types
from collections.abc import Hashable, Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import annotated_types as at
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from superalign.errors import InputError

S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """Base of all configuration sections: frozen, no unknown keys, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def load_section(
    model: type[S], path: Path | None = None, overrides: Sequence[str] = (), **given: Any
) -> S:
    """The ``model`` in the YAML file at ``path`` (default: all defaults) with ``overrides``.

    ``given`` are top-level values from the command line; they go over both. Each override is
    ``a.b=value``; the value is read as YAML, so numbers, null and lists work.

    Raises:
        InputError: one line that names the key or file, where it stands and what is allowed.
    """
    tree: dict[str, Any] = {} if path is None else _read_yaml(path, model)
    keys = []
    for override in overrides:
        key, value = _parse_override(override)
        _assign(tree, key, value)
        keys.append(key)
    try:
        return model.model_validate(tree | given)
    except ValidationError as error:
        raise InputError(_one_line(error, model, path, keys, list(given))) from None


def dump_config(config: Section) -> str:
    """Complete YAML: every field, so that the run can be repeated when defaults change."""
    tree = config.model_dump(mode="json")
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    if any(end in text for end in "\x85\u2028\u2029"):  # written raw, they would read as line ends
        text = yaml.safe_dump(tree, sort_keys=False)
    return text


class FieldRow(NamedTuple):
    """One line of the documentation of a configuration."""

    path: str
    type: str
    default: str
    description: str


def describe(model: type[BaseModel]) -> list[FieldRow]:
    """All fields below ``model``, depth first; a list's items are written ``path[].field``."""
    return list(_rows(model, ""))


def _rows(model: type[BaseModel], prefix: str) -> Iterator[FieldRow]:
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        is_list = get_origin(field.annotation) is tuple
        if section is None or is_list:
            default = "required" if field.is_required() else _yaml_line(field.default)
            yield FieldRow(prefix + name, allowed(field), default, field.description or "")
        if section is not None:
            yield from _rows(section, f"{prefix}{name}{'[]' if is_list else ''}.")


def allowed(field: FieldInfo) -> str:
    """What ``field`` accepts, in words: ``"number, > 0, <= 1"``."""
    limits = []
    for item in field.metadata:
        for symbol, name in ((">", "gt"), (">=", "ge"), ("<", "lt"), ("<=", "le")):
            if getattr(item, name, None) is not None:
                limits.append(f"{symbol} {getattr(item, name)}")
        if isinstance(item, at.MinLen):
            limits.append("not empty")
    return ", ".join([_type_words(field.annotation), *limits])


_WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def _type_words(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}"
    if origin is tuple:
        return f"list of {_type_words(args[0])}"
    if origin in (Union, types.UnionType):
        kinds = [_type_words(arg) for arg in args if arg is not type(None)]
        return " or ".join([*kinds, "null"] if type(None) in args else kinds)
    section = _section(annotation)
    if section is not None:
        return f"section with {', '.join(section.model_fields)}"
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section that ``annotation`` is, or is a list or option of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section(arg) for arg in get_args(annotation))
    return next((section for section in found if section is not None), None)


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key written twice, which plain YAML silently overrides."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen and isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    problem=f"key '{key_node.value}' appears twice",
                    problem_mark=key_node.start_mark,
                )
            if isinstance(key_node, yaml.ScalarNode):
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path, model: type[Section]) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"cannot read configuration {path}: {reason}") from None
    tree = _parse_yaml(text, str(path))
    keys = ", ".join(model.model_fields)
    if tree is None:
        raise InputError(f"configuration {path} is empty; allowed keys: {keys}")
    if not isinstance(tree, dict):
        raise InputError(
            f"configuration {path} is not a list of 'key: value'; allowed keys: {keys}"
        )
    return tree


def _parse_yaml(text: str, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{where}{line} is not YAML: {' '.join(problem.split())}") from None
    except ValueError as error:  # e.g. the 32nd of January
        raise InputError(f"{where} is not YAML: {error}") from None


def _parse_override(override: str) -> tuple[str, Any]:
    key, equals, value = override.partition("=")
    if not equals or not all(key.strip().split(".")):
        raise InputError(f"cannot read '--set {override}'; allowed: --set key=value, e.g. rounds=2")
    return key.strip(), _parse_yaml(value, f"--set {override}")


def _assign(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set the dotted ``key``; a number steps into a list. Wrong keys are left to validation."""
    node: Any = tree
    parts = key.split(".")
    for part, following in pairwise(parts):
        child = _child(node, part)
        if not isinstance(child, dict) and not _is_index(child, following):
            child = {}
        _put(node, part, child)
        node = child
    _put(node, parts[-1], value)


def _is_index(node: Any, part: str) -> bool:
    return isinstance(node, list) and part.isdecimal() and int(part) < len(node)


def _child(node: Any, part: str) -> Any:
    return node[int(part)] if isinstance(node, list) else node.get(part)


def _put(node: Any, part: str, value: Any) -> None:
    node[int(part) if isinstance(node, list) else part] = value


def _one_line(
    error: ValidationError,
    model: type[Section],
    path: Path | None,
    overridden: Sequence[str],
    given: Sequence[str],
) -> str:
    """The chief mistake of ``error`` in one line, and how many follow it."""
    problems = error.errors(include_url=False)
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")  # a typo explains more
    first = problems[0]
    loc = first["loc"]
    dotted = ".".join(map(str, loc))
    where = f"in {path}"
    if any(_overlap(dotted, key) for key in given):
        where = "on the command line"
    elif path is None or any(_overlap(dotted, key) for key in overridden):
        where = "in --set"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    owner, field = _locate(loc, model)
    if first["type"] == "extra_forbidden":
        return _unknown_key(dotted, str(loc[-1]), where, owner) + more
    words = allowed(field) if field else ", ".join(owner.model_fields)
    if first["type"] == "missing":
        return f"'{dotted}' is missing {where}; allowed: {words}{more}"
    detail = f" ({first['ctx']['error']})" if first["type"] == "value_error" else ""
    value = _yaml_line(first["input"])
    return f"'{dotted}' cannot be {value}{detail} {where}; allowed: {words}{more}"


def _overlap(one: str, other: str) -> bool:
    """Whether one dotted path holds the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _unknown_key(dotted: str, name: str, where: str, owner: type[BaseModel]) -> str:
    names = list(owner.model_fields)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{close[0]}'?" if close else ";"
    return f"unknown key '{dotted}' {where}{hint} allowed: {', '.join(names)}"


def _locate(
    loc: tuple[int | str, ...], model: type[BaseModel]
) -> tuple[type[BaseModel], FieldInfo | None]:
    """The section that holds the last name in ``loc`` and that name's field, if it is one."""
    owner = model
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, int):
            continue
        owner = (_section(field.annotation) if field else None) or owner
        field = owner.model_fields.get(part)
    return owner, field


def _yaml_line(value: Any) -> str:
    """``value`` as YAML would show it, on one line and not too long."""
    if isinstance(value, tuple):
        value = list(value)
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    text = " ".join(text.removesuffix("...\n").split())
    return text if len(text) <= 60 else text[:57] + "..."
