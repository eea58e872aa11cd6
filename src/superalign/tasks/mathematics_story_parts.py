"""What stories are made of: names, things and verbs, and the numbers that each schema draws."""

from __future__ import annotations

import random

Numbers = dict[str, int]

SHE = ("Anna", "Maya", "Lena", "Priya", "Sofia", "Grace", "Nora", "Zoe", "Ines", "Fatima", "Mei")
HE = ("Ben", "Omar", "Leo", "Raj", "Tom", "Diego", "Sam", "Noah", "Kofi", "Ivan", "Hiro")
THINGS = (
    *("apples", "marbles", "stickers", "pencils", "books", "shells", "cards", "coins", "stamps"),
    *("cookies", "oranges", "beads", "balloons", "buttons", "toy cars", "postcards", "candies"),
)
GOODS = (
    *(("pen", "pens"), ("notebook", "notebooks"), ("ticket", "tickets"), ("cup", "cups")),
    *(("toy", "toys"), ("sandwich", "sandwiches"), ("plant", "plants"), ("scarf", "scarves")),
    *(("poster", "posters"), ("candle", "candles"), ("ball", "balls"), ("hat", "hats")),
)
HOLDERS = (
    *(("box", "boxes"), ("bag", "bags"), ("jar", "jars"), ("basket", "baskets")),
    *(("tray", "trays"), ("crate", "crates"), ("packet", "packets"), ("drawer", "drawers")),
)
JOBS = (
    "walking dogs",
    "washing cars",
    "baking bread",
    "mowing lawns",
    "picking berries",
    "tutoring",
)
RIDES = ("drives", "cycles", "sails", "rides")
GETS = ("buys", "finds", "gets", "picks up", "receives")


def words(rng: random.Random) -> dict[str, str]:
    """Names, pronouns, things and verbs of one story."""
    female, other_female = rng.random() < 0.5, rng.random() < 0.5
    name = rng.choice(SHE if female else HE)
    other = rng.choice([n for n in (SHE if other_female else HE) if n != name])
    good, goods = rng.choice(GOODS)
    good2, goods2 = rng.choice([pair for pair in GOODS if pair[0] != good])
    holder, holders = rng.choice(HOLDERS)
    he, his = ("she", "her") if female else ("he", "his")
    return {
        "name": name,
        "other": other,
        "he": he,
        "He": he.capitalize(),
        "his": his,
        "things": rng.choice(THINGS),
        "good": good,
        "goods": goods,
        "good2": good2,
        "goods2": goods2,
        "holder": holder,
        "holders": holders,
        "job": rng.choice(JOBS),
        "rides": rng.choice(RIDES),
        "gets": rng.choice(GETS),
    }


def gain_then_lose(rng: random.Random) -> Numbers:
    """a + b - c."""
    a, b = rng.randint(2, 15), rng.randint(1, 10)
    c = rng.randint(1, min(10, a + b - 1))
    return {"a": a, "b": b, "c": c, "ab": a + b, "answer": a + b - c}


def give_twice(rng: random.Random) -> Numbers:
    """a - b - c."""
    b, c, answer = rng.randint(1, 9), rng.randint(1, 9), rng.randint(1, 12)
    return {"a": b + c + answer, "b": b, "c": c, "left": c + answer, "answer": answer}


def groups_plus(rng: random.Random) -> Numbers:
    """a * b + c."""
    a, b, c = rng.randint(2, 5), rng.randint(2, 10), rng.randint(1, 9)
    return {"a": a, "b": b, "c": c, "ab": a * b, "answer": a * b + c}


def groups_minus(rng: random.Random) -> Numbers:
    """a * b - c."""
    a, b = rng.randint(2, 5), rng.randint(2, 10)
    c = rng.randint(1, min(10, a * b - 1))
    return {"a": a, "b": b, "c": c, "ab": a * b, "answer": a * b - c}


def share(rng: random.Random) -> Numbers:
    """a / b."""
    b, answer = rng.randint(2, 6), rng.randint(2, 10)
    return {"a": b * answer, "b": b, "answer": answer}


def share_sum(rng: random.Random) -> Numbers:
    """(a + b) / c."""
    c, answer = rng.randint(2, 5), rng.randint(2, 10)
    a = rng.randint(2, c * answer - 2)
    return {"a": a, "b": c * answer - a, "c": c, "ab": c * answer, "answer": answer}


def cost(rng: random.Random) -> Numbers:
    """a * p."""
    a, p = rng.randint(2, 9), rng.randint(2, 10)
    return {"a": a, "p": p, "answer": a * p}


def two_costs(rng: random.Random) -> Numbers:
    """a * p + b * q."""
    a, p, b, q = (rng.randint(2, 5) for _ in range(4))
    return {"a": a, "p": p, "b": b, "q": q, "ap": a * p, "bq": b * q, "answer": a * p + b * q}


def change(rng: random.Random) -> Numbers:
    """m - a * p."""
    bill = rng.choice((20, 50, 100))
    a = rng.randint(2, 5)
    p = rng.choice([n for n in (2, 3, 4, 5, 10) if n * a < bill])
    return {"a": a, "p": p, "m": bill, "ap": a * p, "answer": bill - a * p}


def times_total(rng: random.Random) -> Numbers:
    """a + a * k."""
    a, k = rng.randint(2, 10), rng.randint(2, 4)
    return {"a": a, "k": k, "ak": a * k, "answer": a + a * k}


def more_total(rng: random.Random) -> Numbers:
    """a + (a + d)."""
    a, d = rng.randint(3, 15), rng.randint(1, 10)
    return {"a": a, "d": d, "b": a + d, "answer": a + a + d}


def fewer_total(rng: random.Random) -> Numbers:
    """a + (a - d)."""
    a = rng.randint(5, 20)
    d = rng.randint(1, a - 2)
    return {"a": a, "d": d, "b": a - d, "answer": a + a - d}


def saving(rng: random.Random) -> Numbers:
    """(goal - have) / w."""
    w, answer, have = rng.randint(2, 6), rng.randint(2, 10), rng.randint(2, 12)
    return {"w": w, "have": have, "goal": have + w * answer, "need": w * answer, "answer": answer}


def travel(rng: random.Random) -> Numbers:
    """v * t + more."""
    v, t, more = rng.choice((10, 20, 30, 40, 50)), rng.randint(2, 5), rng.randint(1, 10)
    return {"v": v, "t": t, "more": more, "vt": v * t, "answer": v * t + more}


def reading(rng: random.Random) -> Numbers:
    """total - p * d."""
    p, d, answer = rng.choice((5, 10, 20)), rng.randint(2, 6), rng.randint(2, 20)
    return {"p": p, "d": d, "pd": p * d, "total": p * d + answer, "answer": answer}


def dozens(rng: random.Random) -> Numbers:
    """12 * n - used."""
    n = rng.randint(1, 4)
    used = rng.randint(1, min(11, 12 * n - 1))
    return {"n": n, "all": 12 * n, "used": used, "answer": 12 * n - used}


def half(rng: random.Random) -> Numbers:
    """a / 2 - b."""
    half = rng.randint(3, 20)
    b = rng.randint(1, min(10, half - 1))
    return {"a": 2 * half, "half": half, "b": b, "answer": half - b}


def ages(rng: random.Random) -> Numbers:
    """a * k + y."""
    a, k, y = rng.randint(2, 10), rng.randint(2, 3), rng.randint(1, 10)
    return {"a": a, "k": k, "y": y, "ak": a * k, "answer": a * k + y}


def perimeter(rng: random.Random) -> Numbers:
    """2 * (a + b)."""
    a, b = rng.randint(2, 15), rng.randint(1, 15)
    return {"a": a, "b": b, "ab": a + b, "answer": 2 * (a + b)}


def wages(rng: random.Random) -> Numbers:
    """h * r + bonus."""
    h, r, bonus = rng.randint(2, 6), rng.choice((5, 6, 8, 10)), rng.randint(1, 10)
    return {"h": h, "r": r, "bonus": bonus, "hr": h * r, "answer": h * r + bonus}
