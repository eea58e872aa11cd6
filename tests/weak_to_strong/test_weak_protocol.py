"""The protocol on made-up vectors: what methods may see, and what the summary makes of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

import superalign.weak_to_strong.methods  # noqa: F401 - registers them
from superalign.registry import registered
from superalign.weak_to_strong.method import Prediction, Setting
from superalign.weak_to_strong.outcomes import Outcome, calibration_error
from superalign.weak_to_strong.protocol import run_task
from superalign.weak_to_strong.recovered import Draws
from superalign.weak_to_strong.splits import split
from superalign.weak_to_strong.student import Readings
from superalign.weak_to_strong.summary import agreement, blind_spot, tasks_and_pools
from superalign.weak_to_strong.supervisors import Feature, NoisyOracle
from superalign.weak_to_strong.tasks import Task

N = 600
NAMES = ("naive", "default", "log_confidence", "dawid_skene", "zero_shot")
METHODS = {name: registered("method")[name]() for name in NAMES}


def world(seed: int = 0, name: str = "t") -> tuple[Task, Readings, np.ndarray]:
    """Truth is the sign of one direction; the supervisor's vectors show it dimly."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 8)).astype(np.float32)
    truth = (x[:, 0] + 0.4 * rng.normal(size=N) > 0).astype(np.int64)
    dim = np.stack([x[:, 0] + 1.5 * rng.normal(size=N), rng.normal(size=N)], 1).astype(np.float32)
    texts = tuple((f"text {i}",) for i in range(N))
    task = Task(name, "classes", ("0", "1"), texts, truth, tuple(f"{name}{i}" for i in range(N)))
    return task, Readings({"plain": x, "cue at 1": x[:, :4]}, {1: x[:, :2]}), dim


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    task, readings, dim = world()
    supervisors = [Feature("dim", lambda _: dim), NoisyOracle(0.7, 0.7)]
    target, target_readings, _ = world(1, "other")
    return run_task(
        task, readings, supervisors, METHODS, range(3), {"other": (target, target_readings)}
    )


def test_one_outcome_per_supervisor_on_the_same_rows(outcomes: list[Outcome]) -> None:
    assert [o.supervisor for o in outcomes] == ["dim", "noisy:0.7,0.7"]
    assert (outcomes[0].truth == outcomes[1].truth).all()
    assert (outcomes[0].ceiling == outcomes[1].ceiling).all()
    assert outcomes[0].skipped == {"zero_shot": "needs --question and two classes"}
    assert outcomes[0].sizes["true_labels"] == outcomes[0].sizes["supervisor"] == 200


def test_no_method_sees_any_truth_of_student_or_test_rows() -> None:
    """With those labels turned round, every student answers as before."""
    task, readings, dim = world()
    cut = split(task, 0)
    turned = replace(task, truth=task.truth.copy())
    for part in (cut.student, cut.test):
        turned.truth[part] = 1 - turned.truth[part]
    first, second = (
        run_task(t, readings, [Feature("dim", lambda _: dim)], METHODS, [0])[0]
        for t in (task, turned)
    )
    for name, student in first.students.items():
        assert (student.answers == second.students[name].answers).all(), name
    assert (first.ceiling != second.ceiling).mean() > 0.5  # the ceiling alone learns from it


def test_outcomes_survive_the_store(outcomes: list[Outcome]) -> None:
    kept = replace(outcomes[0], tuned_ceiling=outcomes[0].ceiling)
    again = Outcome.of_payload(json.loads(json.dumps(kept.as_payload())))
    assert (again.tuned_ceiling == kept.tuned_ceiling).all()
    for name, student in outcomes[0].students.items():
        assert (again.students[name].answers == student.answers).all()
        assert again.students[name].transfer == student.transfer
    for key in ("truth", "weak", "sure", "ceiling", "plain_ceiling"):
        assert (getattr(again, key) == getattr(outcomes[0], key)).all()
    assert again.classes == outcomes[0].classes
    assert (again.depths[1][1] == outcomes[0].depths[1][1]).all()


def test_transfer_is_measured_on_the_other_tasks_test_rows(outcomes: list[Outcome]) -> None:
    """The other world has the same direction, so what is learnt carries over."""
    for rates in (outcomes[0].transfer_ceiling, outcomes[0].students["naive"].transfer):
        assert len(rates["other"]) == 3
        assert np.mean(rates["other"]) > 0.75


def test_the_summary_has_the_keys_that_others_rely_on(outcomes: list[Outcome]) -> None:
    found = tasks_and_pools(outcomes, METHODS, 0)
    json.dumps(found, allow_nan=False)
    for task in found["tasks"]:
        assert [d["layer"] for d in task["depths"]] == [1]
        assert {m["name"] for m in task["methods"]} == set(NAMES) - {"zero_shot"}
        for method in task["methods"]:
            for part in ("weak", "student", "ceiling", "pgr", "pgr_plain"):
                assert set(method[part]) >= {"value", "low", "high", "n_seeds"}
                if method[part]["value"] is None:
                    assert method[part]["reason"]
    for pool in (found["pooled"], found["pooled_by_kind"]["classes"]):
        assert set(pool) == set(NAMES) - {"zero_shot"}
        assert set(pool["default"]["versus_naive"]) >= {"difference", "low", "high", "p"}
        assert pool["naive"]["versus_naive"]["difference"] == 0
        assert pool["default"]["plain"]["pgr"]["n"] == 1


def test_pgr_under_the_plain_ceiling_divides_by_that(outcomes: list[Outcome]) -> None:
    task = tasks_and_pools(outcomes, METHODS, 0)["tasks"][0]
    naive = next(m for m in task["methods"] if m["name"] == "naive")
    weak, student, bare = (
        x["value"] for x in (naive["weak"], naive["student"], task["plain_ceiling"])
    )
    assert naive["pgr_plain"]["value"] == pytest.approx((student - weak) / (bare - weak))
    assert naive["pgr_plain"]["value"] != naive["pgr"]["value"]


def test_agreement_and_blind_spot_by_hand() -> None:
    """Four rows, one seed: the teacher is right on the first two and sure of the first and third."""
    plain = dict(
        task="t", supervisor="w", kind="classes", classes=("0", "1"), sizes={"true_labels": 1},
        truth=np.array([1, 1, 1, 1]), groups=list("abcd"), weak=np.array([[1, 1, 0, 0]]),
        sure=np.array([[True, False, True, False]]), ceiling=np.array([[1, 1, 1, 1]]),
        plain_ceiling=np.array([[1, 1, 1, 1]]),
        skipped={},
    )  # fmt: skip
    from superalign.weak_to_strong.outcomes import Student

    student = Student(np.array([[1, 0, 0, 1]]), [0.1], 4)
    outcome = Outcome(**plain, students={"naive": student})  # type: ignore[arg-type]
    draws = Draws.of(1, outcome.groups, np.random.default_rng(0))
    shares = agreement(outcome, student, draws)
    assert (shares["teacher_right"]["value"], shares["teacher_wrong"]["value"]) == (0.5, 0.5)
    spot = blind_spot(outcome, student, draws)
    assert (spot["checkable"]["value"], spot["blind"]["value"]) == (0.5, 0.5)
    assert spot["difference"]["value"] == 0


def test_calibration_error_by_hand() -> None:
    p = np.array([[0.25, 0.75], [0.25, 0.75], [0.9, 0.1], [0.9, 0.1]])
    assert calibration_error(p, np.array([1, 0, 0, 0])) == pytest.approx((0.25 + 0.1) / 2)


def test_a_third_partys_method_needs_one_class(outcomes: list[Outcome]) -> None:
    class Parrot:
        """Always says class 1."""

        family, source = "baseline", "this test"

        def predict(self, setting: Setting) -> Prediction:
            return Prediction(np.tile([0.0, 1.0], (len(setting.plain.others[0]), 1)), 0)

    task, readings, dim = world()
    found = run_task(task, readings, [Feature("dim", lambda _: dim)], {"parrot": Parrot()}, [0])
    assert found[0].students["parrot"].answers.min() == 1
