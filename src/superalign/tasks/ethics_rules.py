"""The moral rules behind the ethics task: principles with minimal pairs of scenario fragments.

A rule is a principle. Each of its scenes has one context and fragments that complete it in an
acceptable (``+``) or a wrong (``-``) way, so that exchanging one fragment flips the answer. The
tables ``ethics_duty`` … ``ethics_wellbeing`` hold them in this form::

    == name | group | train or held_out | shape | people
    ok A reason why the acceptable ones are acceptable.
    no A reason why the wrong ones are wrong.
    ? context
    + fragment | fragment
    - fragment | fragment

The context ``*`` gives fragments that fit every scene of its rule. ``{p}`` stands for a person out
of the pool ``people``; ``{he}``, ``{him}``, ``{his}``, ``{himself}`` (and with a capital: ``{P}``,
``{He}``) go with it. In shape ``pleasant`` the fragments make an experience better or worse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from superalign.records import Split
from superalign.tasks.ethics_care import CARE
from superalign.tasks.ethics_duty import DUTY
from superalign.tasks.ethics_fairness import FAIRNESS
from superalign.tasks.ethics_harm import HARM
from superalign.tasks.ethics_honesty import HONESTY
from superalign.tasks.ethics_property import PROPERTY
from superalign.tasks.ethics_safety import SAFETY
from superalign.tasks.ethics_wellbeing import WELLBEING

Shape = Literal["request", "role", "habit", "ended", "deserve", "act", "pleasant"]

# Pools of people with the pronoun that goes with them ("m", "f"; "?": either). The last five serve
# held-out rules only.
PEOPLE: dict[str, tuple[str, ...]] = {
    "peer": (
        *("friend ?", "best friend ?", "roommate ?", "neighbor ?", "teammate ?", "cousin ?"),
        *("brother m", "sister f", "girlfriend f", "boyfriend m", "friend Leo m", "friend Ana f"),
    ),
    "family": (
        *("brother m", "sister f", "mother f", "father m", "husband m", "wife f", "cousin ?"),
        *("aunt f", "uncle m", "mom f", "dad m", "stepbrother m", "stepsister f"),
    ),
    "work": (
        *("boss ?", "coworker ?", "manager ?", "supervisor ?", "team leader ?", "office mate ?"),
        *("coworker Ben m", "coworker Mia f", "shift partner ?", "assistant ?"),
    ),
    "kid": (
        *("son m", "daughter f", "little brother m", "little sister f", "nephew m", "niece f"),
        *("youngest son m", "stepdaughter f", "foster son m", "six-year-old girl f"),
    ),
    "elder": (
        *("grandmother f", "grandfather m", "grandma f", "grandpa m", "old neighbor ?"),
        *("great-aunt f", "great-uncle m", "old mother f", "old father m"),
    ),
    "classmate": (
        *("bandmate ?", "scoutmaster m", "choir director f", "lab partner ?", "club president ?"),
        *("troop leader ?", "fellow camper ?", "drama coach f"),
    ),
    "kin2": (
        *("sister-in-law f", "brother-in-law m", "godmother f", "pen pal ?", "half brother m"),
        *("goddaughter f", "second cousin ?", "former tutor ?"),
    ),
    "colleague": (
        *("colleague ?", "business partner ?", "deputy ?", "intern ?", "apprentice ?"),
        *("officemate Priya f", "colleague Igor m", "mentor ?"),
    ),
    "merchant": ("rival f", "supplier m", "patron ?", "co-owner ?"),
    "tenant": (
        *("landlady f", "landlord m", "subtenant ?", "caretaker ?", "fellow hiker ?"),
        *("housemate Sven m", "housemate Ines f", "bunkmate ?"),
    ),
}


@dataclass(frozen=True)
class Scene:
    """A context and the fragments that complete it acceptably or wrongly."""

    context: str
    good: tuple[str, ...]
    bad: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """One family: a principle (reasons for either verdict) and its scenes."""

    name: str
    group: str
    split: Split
    shape: Shape
    people: tuple[str, ...]
    ok: tuple[str, ...]
    no: tuple[str, ...]
    scenes: tuple[Scene, ...]

    @property
    def fragments(self) -> set[str]:
        """All distinct fragments that carry moral content."""
        return {text for scene in self.scenes for text in (*scene.good, *scene.bad)}


@dataclass
class _Draft:
    """A rule that is being read."""

    header: str
    ok: list[str] = field(default_factory=list)
    no: list[str] = field(default_factory=list)
    scenes: list[tuple[str, list[str], list[str]]] = field(default_factory=list)

    def add(self, line: str) -> None:
        mark, _, rest = line.partition(" ")
        parts = [part.strip() for part in rest.split(" | ")]
        if mark in ("ok", "no"):
            (self.ok if mark == "ok" else self.no).extend(parts)
        elif mark == "?":
            self.scenes.append((rest, [], []))
        elif mark in ("+", "-") and self.scenes:
            _, good, bad = self.scenes[-1]
            (good if mark == "+" else bad).extend(parts)
        else:
            raise ValueError(f"cannot read the line '{line}' of rule '{self.header}'")

    def build(self) -> Rule:
        name, group, split, shape, people = self.header.split(" | ")
        if split not in get_args(Split) or shape not in get_args(Shape):
            raise ValueError(f"bad split or shape in the rule '{self.header}'")
        shared = [scene for scene in self.scenes if scene[0] == "*"]
        good = [text for scene in shared for text in scene[1]]
        bad = [text for scene in shared for text in scene[2]]
        scenes = (s for s in self.scenes if s[0] != "*")
        return Rule(
            name=name,
            group=group,
            split=cast(Split, split),
            shape=cast(Shape, shape),
            people=PEOPLE[people],
            ok=tuple(self.ok),
            no=tuple(self.no),
            scenes=tuple(Scene(c, (*g, *good), (*b, *bad)) for c, g, b in scenes),
        )


def parse_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a table in the form that the module describes.

    Raises:
        ValueError: a line, split or shape that is not understood.
    """
    drafts: list[_Draft] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("== "):
            drafts.append(_Draft(line[3:]))
        elif drafts:
            drafts[-1].add(line)
        else:
            raise ValueError(f"'{line}' stands before the first rule")
    return tuple(draft.build() for draft in drafts)


_TABLES = (DUTY, FAIRNESS, HONESTY, HARM, CARE, PROPERTY, SAFETY, WELLBEING)
RULES: dict[str, Rule] = {rule.name: rule for rule in parse_rules("\n".join(_TABLES))}
