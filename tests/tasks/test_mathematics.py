import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from superalign.errors import InputError
from superalign.records import Message, Query
from superalign.registry import lookup
from superalign.tasks.mathematics import (
    FAMILIES,
    Mathematics,
    foreign_query,
    verify_steps,
)
from superalign.tasks.mathematics_word_problems import SCHEMAS

SRC = Path(__file__).resolve().parents[2] / "src"
TASK = Mathematics()


def query(answer: str, **truth: object) -> Query:
    return Query(
        domain="mathematics",
        family="test",
        split="train",
        messages=(Message(role="user", content="?"),),
        truth={"answer": answer, "kind": "number", **truth},
    )


def rough_tokens(text: str) -> int:
    """SmolLM2's tokens, nearly: digits one by one, a space before a digit is its own."""
    return len(re.findall(r" ?[A-Za-z]+| (?=\d)|\d| ?[^\w\s]", text))


def test_registered_with_enough_families() -> None:
    assert lookup("task", "mathematics") is Mathematics
    held_out = [name for name, split in TASK.families.items() if split == "held_out"]
    assert len(TASK.families) >= 30
    assert len(held_out) >= 8
    assert len({name.startswith("gym_") for name in held_out}) == 2
    assert len(SCHEMAS) >= 15
    assert all(len(set(schema.wordings)) >= 4 for schema in SCHEMAS.values())


@pytest.mark.parametrize("name", list(FAMILIES))
def test_family_gives_distinct_items_with_accepted_fixes(name: str) -> None:
    queries = TASK.generate(50, seed=3, split=TASK.families[name], families=[name])
    assert len({q.text for q in queries}) == len({q.id for q in queries}) == 50
    for q in queries:
        assert q.fix is not None
        assert q.fix.endswith(f"The answer is {q.truth['answer']}.")
        assert TASK.grade(q, q.fix).value == 1.0, (q.text, q.fix)
        assert all(step.ok for step in verify_steps(q.fix)), q.fix
        assert 8 < rough_tokens(q.fix) <= 60, q.fix
        assert len(q.text.split()) < 60
        assert "{" not in q.text + q.fix
        wrong = q.fix.replace(f"is {q.truth['answer']}.", "is 987654.")
        assert not TASK.grade(q, wrong).value, wrong
        json.dumps(q.model_dump())


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_balanced_deterministic_and_a_prefix(split: str) -> None:
    queries = TASK.generate(120, seed=0, split=split)
    counts = [sum(q.family == name for q in queries) for name in {q.family for q in queries}]
    assert max(counts) - min(counts) <= 1
    assert {q.split for q in queries} == {split}
    assert {TASK.families[q.family] for q in queries} == {split}
    random.seed(99)
    assert TASK.generate(60, seed=0, split=split) == queries[:60]
    other = TASK.generate(120, seed=1, split=split)
    assert len({q.text for q in other} & {q.text for q in queries}) <= 6


def test_splits_share_no_question() -> None:
    train = {q.text for q in TASK.generate(400, seed=5, split="train")}
    held_out = {q.text for q in TASK.generate(400, seed=5, split="held_out")}
    assert len(train) == len(held_out) == 400
    assert not train & held_out


def test_same_in_another_process() -> None:
    code = (
        "import sys, random; random.seed(); sys.path.insert(0, sys.argv[1]);"
        "from superalign.tasks.mathematics import Mathematics as M;"
        "print(*(q.id for s in ('train', 'held_out') for q in M().generate(80, seed=7, split=s)))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, str(SRC)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [q.id for s in ("train", "held_out") for q in TASK.generate(80, seed=7, split=s)]
    assert there.stdout.split() == here


def test_reasoning_gym_is_imported_only_when_used() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from superalign.tasks.mathematics import Mathematics as M, foreign_query as f;"
        "M().generate(5, seed=0, split='train', families=['average', 'percent_of']);"
        "M().grade(f('1 + 1?', '2', 'x', 'train'), '2');"
        "assert 'reasoning_gym' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(SRC)], check=True)


def test_missing_reasoning_gym_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(InputError, match="gym_\\* need the package reasoning-gym"):
        TASK.generate(1, seed=0, split="train", families=["gym_gcd"])


def test_an_exhausted_family_drops_out_of_the_turn() -> None:
    small = ["gym_prime_factorization", "addition_two_digit"]
    queries = TASK.generate(800, seed=0, split="held_out", families=small)
    assert len({q.text for q in queries}) == 800
    with pytest.raises(InputError, match="900 queries asked for"):
        TASK.generate(900, seed=0, split="held_out", families=small[:1])
    with pytest.raises(ValueError, match="not in split"):
        TASK.generate(1, seed=0, split="held_out", families=["average"])


RIGHT = [
    ("59", "The answer is 59."),
    ("59", "23 + 45 = 68. Then 68 - 9 = 59"),
    ("59", "the result: **59**"),
    ("59", "\\boxed{59}"),
    ("59", "Thus \\(\\boxed{x = 59}\\), not 60."),
    ("59", "**Answer:** 59"),
    ("59", "Final answer: \n\n**59**"),
    ("59", "The answer is 23 + 36 = 59."),
    ("59", "The answer to 23 + 36 is 59, which is less than 100."),
    ("59", "The answer is 58. Wait, I forgot one. The answer is 59."),
    ("59", "The answer is 59.\nLet me know if you have 3 more questions!"),
    ("59", "That leaves 59 apples"),
    ("59", "You get 59.00"),
    ("59", "#### 59"),
    ("59", "x=59"),
    ("59", "59"),
    ("59", "= $59"),
    ("59", "The answer is: $59$."),
    ("1234.5", "It costs $1,234.50"),
    ("1234.5", "The total is $1{,}234.50."),
    ("1200000", "The answer is 1,200,000 people."),
    ("3/4", "3/4"),
    ("3/4", "The answer is 6/8."),
    ("3/4", "The answer is 0.75"),
    ("3/4", "\\boxed{\\frac{3}{4}}"),
    ("3/4", "So it is 75%."),
    ("-3/4", "= -\\dfrac{3}{4}"),
    ("5/2", "The answer is 2 1/2."),
    ("5/2", "The answer is 2\\frac{1}{2}"),
    ("-7", "-7"),
    ("-7", "The answer is \u22127."),
    ("-7", "5 - 12 = - 7"),
    ("-7", "It is -$7"),
    ("12", "12%"),
    ("12", "The answer is 12\\%."),
    ("12%", "12"),
    ("0.5", "The answer is .5"),
    ("6", "So 12 / 2 = 6"),
    ("3", "10-3 is 7, so he gives away 3"),
    ("1500", "The answer is 1.5e3"),
    ("68", "Working: 20+40=60, 3+5=8, 60+8=68\nAnswer: 68"),
    ("5", "The answer is \\text{5 apples}."),
]
WRONG = [
    ("59", "The answer is 60."),
    ("59", "The answer is 59.5"),
    ("59", "23 + 36 = 58"),
    ("59", "The answer is 60. It is not 59."),
    ("59", "590"),
    ("59", "5 9"),
    ("59", "The answer is -59"),
    ("1/3", "0.33"),
    ("3/4", "4/3"),
    ("7", "The answer is 7/0 or so: 8"),
    ("5", "9" * 20_000),
    ("5", "1/" * 5_000 + "2"),
]
MISSING = ["", "I do not know.", "The answer is unknown.", "=", "\\boxed{}", "-", "$", "answer: x"]


@pytest.mark.parametrize(("answer", "text"), RIGHT)
def test_reads_right_answers(answer: str, text: str) -> None:
    verdict = TASK.grade(query(answer), text)
    assert (verdict.value, verdict.kind) == (1.0, "ok"), verdict
    assert verdict.parsed


@pytest.mark.parametrize(("answer", "text"), WRONG)
def test_reads_wrong_answers(answer: str, text: str) -> None:
    verdict = TASK.grade(query(answer), text)
    assert verdict.failed
    assert verdict.kind == "wrong answer"
    assert verdict.parsed
    assert answer in verdict.reason


@pytest.mark.parametrize("text", MISSING)
def test_no_number_is_missing(text: str) -> None:
    verdict = TASK.grade(query("59"), text)
    assert (verdict.value, verdict.kind, verdict.parsed) == (None, "unparsed", None)


def test_comparisons_name_the_winner_first() -> None:
    compared = query("54", compare=True)
    assert TASK.grade(compared, "54 is larger than 45.").value == 1.0
    assert TASK.grade(compared, "**54** is the largest.").value == 1.0
    assert TASK.grade(compared, "45 is larger than 54.").failed
    assert TASK.grade(compared, "45 is smaller. The answer is 54.").value == 1.0


def test_words_and_options() -> None:
    day = query("Monday", kind="text", options=["Sunday", "Monday"])
    assert TASK.grade(day, "1 day after Sunday is Monday.").value == 1.0
    assert TASK.grade(day, "The answer is monday, the day after Sunday.").value == 1.0
    assert TASK.grade(day, "Sunday").failed
    assert TASK.grade(day, "no idea").value is None
    word = query("blue", kind="text")
    assert TASK.grade(word, "I think so.\nThe answer is **Blue**.").value == 1.0
    assert TASK.grade(word, "Answer: red").failed
    assert TASK.grade(word, " \n ").value is None


def test_reasoning_gym_scores_what_needs_it() -> None:
    primes = query("2 × 2 × 5", kind="gym", gym="prime_factorization", metadata={"number": 20})
    assert TASK.grade(primes, "20 = 2 * 10 = 2 x 2 x 5").value == 1.0
    assert TASK.grade(primes, "The answer is 2 \\times 2 \\times 5.").value == 1.0
    assert TASK.grade(primes, "The answer is 4 × 5.").failed
    assert TASK.grade(primes, "20").failed
    assert TASK.grade(primes, "prime numbers").value is None
    metadata = {"numerator": 6, "denominator": 8}
    metadata |= {"simplified_numerator": 3, "simplified_denominator": 4}
    low = query("3/4", kind="gym", gym="fraction_simplification", metadata=metadata)
    assert TASK.grade(low, "The answer is 3/4.").value == 1.0
    assert TASK.grade(low, "The answer is $\\frac{3}{4}$.").value == 1.0
    assert TASK.grade(low, "The answer is 6/8.").failed
    assert TASK.grade(low, "hm").value is None


def test_foreign_rows() -> None:
    row = foreign_query(" How many? ", "5 + 2 = 7\n#### 7", "gsm8k", "held_out")
    assert (row.text, row.truth["answer"], row.family) == ("How many?", "7", "gsm8k")
    assert TASK.grade(row, "7 apples").value == 1.0
    assert foreign_query("Which?", "blue", "x", "train").truth["kind"] == "text"
    assert foreign_query("Cost?", "$1,200", "x", "train").truth["kind"] == "number"
    for question, answer in (("", "1"), ("q", " "), ("q", "5 ####")):
        with pytest.raises(InputError, match="an empty"):
            foreign_query(question, answer, "x", "train")
    with pytest.raises(InputError, match="is not a number"):
        TASK.grade(query("seven"), "7")


def test_gsm8k_solutions_are_right(data_dir: Path) -> None:
    path = data_dir / "gsm8k" / "data.jsonl.gz"
    if not path.is_file():
        pytest.skip("no gsm8k")
    from superalign.tasks.files import read_rows

    rows = [row for _, row in zip(range(1500), read_rows(path), strict=False)]
    texts = [re.sub(r"<<.*?>>", "", row["solution"]) for row in rows]
    steps = [step for text in texts for step in verify_steps(text)]
    written = sum(row["solution"].count("<<") for row in rows)
    assert len(steps) > 0.95 * written
    assert sum(not step.ok for step in steps) < 0.005 * len(steps)
