"""Word problems of one to three steps: schemas with varied names, things, verbs and wordings.

A schema draws its numbers (all that its worked steps mention, and ``answer``), fills one of its
wordings and its steps. ``{x}`` in a wording is a number, or a word from ``mathematics_story_parts``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from superalign.records import Split
from superalign.tasks import mathematics_story_parts as parts
from superalign.tasks.mathematics_items import Family, Item, worked


@dataclass(frozen=True)
class Schema:
    """One kind of story: ``draw`` its numbers, then fill a wording and the steps."""

    split: Split
    draw: Callable[[random.Random], parts.Numbers]
    steps: tuple[str, ...]
    wordings: tuple[str, ...]

    def build(self, rng: random.Random) -> Item:
        """One story."""
        values: dict[str, object] = {**parts.words(rng), **self.draw(rng)}
        answer = str(values["answer"])
        question = rng.choice(self.wordings).format(**values)
        return Item(question, answer, worked(answer, *(s.format(**values) for s in self.steps)))


SCHEMAS: dict[str, Schema] = {
    "gain_then_lose": Schema(
        "train",
        parts.gain_then_lose,
        ("{a} + {b} = {ab}", "{ab} - {c} = {answer}"),
        (
            "{name} has {a} {things}. {He} {gets} {b} more and then gives {c} to {other}. "
            "How many {things} does {name} have now?",
            "{name} starts the day with {a} {things}, {gets} {b} more and loses {c}. "
            "How many are left?",
            "There are {a} {things} on the table. {name} adds {b}, and {other} takes {c} away. "
            "How many {things} are on the table now?",
            "A shop has {a} {things}. {b} more arrive and {c} are sold. "
            "How many {things} does the shop have now?",
        ),
    ),
    "give_away_twice": Schema(
        "train",
        parts.give_twice,
        ("{a} - {b} = {left}", "{left} - {c} = {answer}"),
        (
            "{name} had {a} {things}. {He} gave {b} to {other} and lost {c}. "
            "How many {things} does {he} have left?",
            "Of {a} {things}, {name} sells {b} on Monday and {c} on Tuesday. How many remain?",
            "{name} packs {a} {things}. {b} are broken and {c} are given away. "
            "How many {things} are still good to keep?",
            "There were {a} {things} in the cupboard. {name} took {b}, then {other} took {c}. "
            "How many are still there?",
        ),
    ),
    "groups_plus_extra": Schema(
        "held_out",
        parts.groups_plus,
        ("{a} * {b} = {ab}", "{ab} + {c} = {answer}"),
        (
            "{name} has {a} {holders} with {b} {things} each and {c} more {things}. "
            "How many {things} does {he} have in total?",
            "Each {holder} holds {b} {things}. {name} fills {a} {holders} and has {c} left over. "
            "How many {things} are there?",
            "{name} {gets} {a} {holders} of {b} {things}. {other} adds {c} {things}. "
            "How many {things} do they have together?",
            "There are {a} {holders} of {b} {things} and {c} loose {things}. "
            "How many {things} is that altogether?",
        ),
    ),
    "groups_minus_some": Schema(
        "train",
        parts.groups_minus,
        ("{a} * {b} = {ab}", "{ab} - {c} = {answer}"),
        (
            "{name} has {a} {holders} with {b} {things} in each. {He} gives away {c} {things}. "
            "How many {things} are left?",
            "A store gets {a} {holders} of {b} {things} and sells {c} of the {things}. "
            "How many {things} remain?",
            "{name} opens {a} {holders}, each with {b} {things}, and uses {c} of them. "
            "How many {things} does {he} still have?",
            "{a} {holders} hold {b} {things} each. {other} takes {c} {things} out. "
            "How many {things} are in the {holders} now?",
        ),
    ),
    "share_equally": Schema(
        "train",
        parts.share,
        ("{a} / {b} = {answer}",),
        (
            "{name} shares {a} {things} equally among {b} friends. How many does each friend get?",
            "{a} {things} are put into {b} {holders}, the same number in each. "
            "How many {things} are in one {holder}?",
            "{b} children split {a} {things} evenly. How many {things} does each child receive?",
            "{name} needs to pack {a} {things} equally in {b} {holders}. "
            "How many {things} go in each {holder}?",
        ),
    ),
    "share_a_sum": Schema(
        "held_out",
        parts.share_sum,
        ("{a} + {b} = {ab}", "{ab} / {c} = {answer}"),
        (
            "{name} has {a} {things} and {other} has {b}. They put them together and share them "
            "equally among {c} people. How many does each person get?",
            "{name} collects {a} {things} in the morning and {b} in the evening, and packs them "
            "into {c} equal {holders}. How many {things} are in each {holder}?",
            "There are {a} red and {b} blue {things}. They are divided equally into {c} groups. "
            "How many {things} are in a group?",
            "A class of {c} pupils shares {a} old and {b} new {things} equally. "
            "How many {things} does each pupil get?",
        ),
    ),
    "cost_of_items": Schema(
        "train",
        parts.cost,
        ("{a} * {p} = {answer}",),
        (
            "A {good} costs ${p}. How many dollars do {a} {goods} cost?",
            "{name} buys {a} {goods} at ${p} each. How much does {he} pay?",
            "One {good} is ${p}. {name} wants {a} of them. How much money does {he} need?",
            "{name} sells {a} {goods} for ${p} each. How much does {he} earn?",
        ),
    ),
    "two_purchases": Schema(
        "train",
        parts.two_costs,
        ("{a} * {p} = {ap}", "{b} * {q} = {bq}", "{ap} + {bq} = {answer}"),
        (
            "{name} buys {a} {goods} for ${p} each and {b} {goods2} for ${q} each. "
            "How much does {he} spend?",
            "A {good} costs ${p} and a {good2} costs ${q}. "
            "What do {a} {goods} and {b} {goods2} cost together?",
            "{name} orders {a} {goods} at ${p} each. {other} orders {b} {goods2} at ${q} each. "
            "How much do they pay in total?",
            "At a fair, {goods} are ${p} and {goods2} are ${q}. {name} gets {a} {goods} and "
            "{b} {goods2}. What is the total price?",
        ),
    ),
    "change_from_bill": Schema(
        "train",
        parts.change,
        ("{a} * {p} = {ap}", "{m} - {ap} = {answer}"),
        (
            "{name} buys {a} {goods} for ${p} each and pays with a ${m} bill. "
            "How much change does {he} get?",
            "{name} has ${m}. {He} buys {a} {goods} at ${p} each. How much money is left?",
            "A {good} costs ${p}. {name} takes {a} of them and gives the seller ${m}. "
            "How many dollars should {he} get back?",
            "With ${m} in {his} pocket, {name} pays for {a} {goods} that cost ${p} each. "
            "How many dollars remain?",
        ),
    ),
    "wages_and_bonus": Schema(
        "train",
        parts.wages,
        ("{h} * {r} = {hr}", "{hr} + {bonus} = {answer}"),
        (
            "{name} earns ${r} an hour {job}. {He} works {h} hours and gets a ${bonus} tip. "
            "How much does {he} make?",
            "For {job}, {name} is paid ${r} per hour. After {h} hours {he} also gets a bonus of "
            "${bonus}. What is {his} total pay?",
            "{name} spends {h} hours {job} at ${r} an hour and already had ${bonus}. "
            "How much money does {he} have now?",
            "{other} pays {name} ${r} for each hour of {job}, plus ${bonus} for the trip. "
            "How much does {name} get for {h} hours?",
        ),
    ),
    "times_as_many_total": Schema(
        "train",
        parts.times_total,
        ("{a} * {k} = {ak}", "{a} + {ak} = {answer}"),
        (
            "{name} has {a} {things}. {other} has {k} times as many. "
            "How many {things} do they have together?",
            "{other} collected {k} times as many {things} as {name}, who collected {a}. "
            "How many did they collect in all?",
            "There are {a} {things} in a small {holder} and {k} times as many in a large one. "
            "How many {things} are there in total?",
            "On Monday {name} sold {a} {things}, and on Tuesday {k} times as many. "
            "How many {things} did {he} sell on both days?",
        ),
    ),
    "more_than_total": Schema(
        "held_out",
        parts.more_total,
        ("{a} + {d} = {b}", "{a} + {b} = {answer}"),
        (
            "{name} has {a} {things}. {other} has {d} more than {name}. "
            "How many {things} do they have together?",
            "{other} found {d} more {things} than {name}, who found {a}. How many in total?",
            "A {holder} has {a} {things} and another {holder} has {d} more. "
            "How many {things} are in both?",
            "{name} made {a} {things} on Monday and {d} more than that on Tuesday. "
            "How many {things} did {he} make in all?",
        ),
    ),
    "fewer_than_total": Schema(
        "train",
        parts.fewer_total,
        ("{a} - {d} = {b}", "{a} + {b} = {answer}"),
        (
            "{name} has {a} {things}. {other} has {d} fewer than {name}. "
            "How many {things} do they have together?",
            "{other} picked {d} fewer {things} than {name}, who picked {a}. How many in all?",
            "One {holder} holds {a} {things} and another holds {d} fewer. "
            "How many {things} are in both?",
            "{name} counted {a} {things} in the morning and {d} fewer in the evening. "
            "How many {things} did {he} count that day?",
        ),
    ),
    "saving_for_goal": Schema(
        "train",
        parts.saving,
        ("{goal} - {have} = {need}", "{need} / {w} = {answer}"),
        (
            "{name} wants a bike for ${goal}. {He} has ${have} and saves ${w} a week. "
            "How many weeks does {he} need?",
            "A game costs ${goal}. {name} has ${have} and saves ${w} each week. "
            "In how many weeks can {he} buy it?",
            "{name} already read {have} of {goal} pages and reads {w} pages a day. "
            "How many days until {he} is done?",
            "{other} needs {goal} {things}, has {have} and collects {w} every day. "
            "How many days will it take?",
        ),
    ),
    "travel_and_more": Schema(
        "train",
        parts.travel,
        ("{v} * {t} = {vt}", "{vt} + {more} = {answer}"),
        (
            "{name} {rides} {v} miles each day for {t} days and then {more} miles more. "
            "How many miles is that?",
            "A bus goes {v} miles per hour for {t} hours and then another {more} miles. "
            "How far does it go?",
            "{name} {rides} for {t} hours at {v} kilometers per hour, after a walk of {more} "
            "kilometers. How many kilometers did {he} cover?",
            "A boat covers {v} miles an hour. It sails {t} hours, and is towed {more} miles. "
            "How many miles does it move in total?",
        ),
    ),
    "pages_left": Schema(
        "held_out",
        parts.reading,
        ("{d} * {p} = {pd}", "{total} - {pd} = {answer}"),
        (
            "{name} reads {p} pages a day of a book with {total} pages. "
            "How many pages are left after {d} days?",
            "A book has {total} pages. {name} read {p} pages on each of {d} days. "
            "How many pages must {he} still read?",
            "{name} has to solve {total} exercises and solves {p} a day. "
            "How many are left after {d} days?",
            "A farmer has {total} kilograms of hay and uses {p} kilograms a day. "
            "How many kilograms are left after {d} days?",
        ),
    ),
    "dozens": Schema(
        "train",
        parts.dozens,
        ("{n} * 12 = {all}", "{all} - {used} = {answer}"),
        (
            "{name} buys {n} dozen eggs and uses {used}. How many eggs are left?",
            "A baker makes {n} dozen rolls and sells {used} rolls. How many rolls remain?",
            "There are {n} dozen {things} in a {holder}. {name} takes {used} {things}. "
            "How many {things} are left?",
            "{name} has {n} dozen {things} and gives {used} to {other}. "
            "How many {things} does {he} keep?",
        ),
    ),
    "half_then_less": Schema(
        "train",
        parts.half,
        ("{a} / 2 = {half}", "{half} - {b} = {answer}"),
        (
            "{name} has {a} {things}. {He} gives half of them to {other} and then loses {b}. "
            "How many {things} are left?",
            "Half of {a} {things} are sold on Monday, and {b} more on Tuesday. How many remain?",
            "{name} had ${a}, spent half of it on a coat and ${b} on lunch. "
            "How many dollars does {he} have left?",
            "A {holder} holds {a} {things}. Half of them are taken out by {name} and {b} by "
            "{other}. How many {things} are still in the {holder}?",
        ),
    ),
    "ages": Schema(
        "train",
        parts.ages,
        ("{a} * {k} = {ak}", "{ak} + {y} = {answer}"),
        (
            "{name} is {a} years old. {other} is {k} times as old. "
            "How old will {other} be in {y} years?",
            "{other} is {k} times as old as {name}, who is {a}. What is {other}'s age {y} years "
            "from now?",
            "{name} is {a}. {name}'s cousin {other} is {k} times {his} age. "
            "How old is {other} in {y} years?",
            "{name}'s dog is {a} years old and {name} is {k} times as old as the dog. "
            "How old will {name} be after {y} years?",
        ),
    ),
    "perimeter": Schema(
        "train",
        parts.perimeter,
        ("{a} + {b} = {ab}", "2 * {ab} = {answer}"),
        (
            "A rectangle is {a} cm long and {b} cm wide. What is its perimeter in cm?",
            "{name} puts a fence around a garden that is {a} meters by {b} meters. "
            "How many meters of fence does {he} need?",
            "{name} walks once around a rectangular field of {a} by {b} meters. "
            "How many meters does {he} walk?",
            "A photo is {a} inches wide and {b} inches high. "
            "How many inches of frame go all the way around it?",
        ),
    ),
}

FAMILIES = {name: Family(schema.split, schema.build) for name, schema in SCHEMAS.items()}
