"""The critic: members joined, calibrated, and corrected by humans."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from toy_critic import make_critic

from superalign.critic import Critic, Item
from superalign.critic.harm import EDGE
from superalign.loop.queries import task
from superalign.records import Critique, Label, Message, Query, Response

REFUSAL = "I'm sorry, but I can't help with that."
HELP = "First plan the work, then do it step by step with the right tools."


def item(query: Query, text: str) -> Item:
    return Item(query, Response(query=query.id, text=text))


def label(of: Item, value: float | None) -> tuple[Item, Label]:
    return of, Label(response=of.response.id, value=value, source="simulated human")


def sums(answer: str) -> Item:
    query = Query(
        domain="mathematics",
        family="f",
        split="train",
        messages=(Message(role="user", content="What is 2 + 2?"),),
        truth={"answer": "4"},
        fix="2 + 2 = 4. 4",
    )
    return item(query, answer)


def test_seed_requests_are_told_apart(fitted: Critic, requests: list[Query]) -> None:
    truth = np.asarray([q.truth["harmful"] for q in requests])
    helped = [c.acceptable for c in fitted.judge([item(q, HELP) for q in requests])]
    refused = [c.acceptable for c in fitted.judge([item(q, REFUSAL) for q in requests])]
    assert all(a is not None and b is not None for a, b in zip(helped, refused, strict=True))
    assert roc_auc_score(truth, -np.asarray(helped, float)) >= 0.65  # a fake model's hidden states
    np.testing.assert_allclose(np.asarray(helped, float) + np.asarray(refused, float), 1.0)


def test_calibration_uses_rows_that_no_classifier_saw() -> None:
    critic = make_critic(36)
    seen: list[set[str]] = []
    for classifier in critic.classifiers.values():
        fit = classifier.fit

        def spy(queries, harmful, weights, fit=fit):  # type: ignore[no-untyped-def]
            seen.append({q.id for q in queries})
            fit(queries, harmful, weights)

        classifier.fit = spy  # type: ignore[method-assign]
    critic.fit()
    aside = {q.id for i, q in enumerate(critic.seed_queries) if critic._held_aside(i)}
    assert len(aside) == 12
    assert all(not rows & aside and len(rows) == 24 for rows in seen)
    twins = {q.twin for q in critic.seed_queries if q.id in aside and q.twin}
    assert twins <= aside  # a request and its twin stay on one side


def test_calibration_shrinks_what_is_overconfident() -> None:
    """Classifiers that are always sure and right half of the time: the pooled belief says half."""

    class Sure:
        def fit(self, *_: object) -> None: ...

        def harm(self, queries):  # type: ignore[no-untyped-def]
            return np.asarray([0.99 if sum(map(ord, q.id)) % 2 else 0.01 for q in queries])

    critic = make_critic(240)
    critic.classifiers = {"sure": Sure()}
    critic.fit()
    beliefs = critic.harm(critic.seed_queries)
    assert max(abs(b - 0.5) for b in beliefs) < 0.3


def test_fitting_twice_is_the_same_and_the_order_of_judging_does_not_matter(
    fitted: Critic, requests: list[Query]
) -> None:
    other = make_critic()
    other.fit()
    items = [item(q, HELP) for q in requests]
    assert other.judge(items[::-1])[::-1] == fitted.judge(items)


def test_a_critique_tells_what_where_and_why(fitted: Critic, requests: list[Query]) -> None:
    items = [item(q, HELP) for q in requests if q.truth["harmful"]]
    for one, critique in zip(items, fitted.judge(items), strict=True):
        assert critique.response == critique.parent == one.response.id
        assert set(critique.members) == {"hidden states", "wording"}
        assert critique.critic == "critic"
        assert critique.acceptable is not None
        assert critique.confidence == pytest.approx(abs(2 * critique.acceptable - 1))
        assert {"harmless", "helpful"} == set(critique.scores)
        for claim in critique.claims:
            assert (claim.fix is not None) == (claim.kind == "complied with harm")


def test_the_verifier_overrules(fitted: Critic) -> None:
    right, wrong = fitted.judge([sums("4"), sums("5")])
    assert (right.acceptable, right.confidence, right.members) == (1.0, 1.0, {"verifier": 1.0})
    assert (wrong.acceptable, wrong.confidence) == (0.0, 1.0)
    assert wrong.claims[0].fix == "2 + 2 = 4. 4"
    assert wrong.scores == {"correct": 0.0}
    assert fitted.disagreement(wrong) == 0.0


@pytest.mark.parametrize("text", ["", "...", "word " * 40, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
def test_degenerate_answers_are_faulty_whatever_was_asked(
    fitted: Critic, requests: list[Query], text: str
) -> None:
    for critique in fitted.judge([item(q, text) for q in requests[:4]]):
        assert critique.acceptable == EDGE
        assert {c.kind for c in critique.claims} == {"degenerate"}
        assert critique.scores["helpful"] < 1


def test_it_abstains_before_it_is_fitted(requests: list[Query]) -> None:
    for critic in (make_critic(), make_critic(0)):
        critiques = critic.judge([item(requests[0], HELP), sums("4")])
        assert critiques[0].acceptable is None
        assert critiques[0].confidence == 0.0
        assert critiques[0].members == {}
        assert critiques[0].scores == {}
        assert critiques[1].acceptable == 1.0  # a computation needs no fitting
        assert critic.disagreement(critiques[0]) == 0.0


def test_without_seeds_it_abstains_on_requests_even_when_fitted(requests: list[Query]) -> None:
    critic = make_critic(0)
    critic.fit()
    critic.learn([label(item(requests[0], HELP), 1.0)])
    assert critic.fitted
    assert critic.judge([item(requests[1], HELP)])[0].acceptable is None


def test_a_domain_that_no_member_knows_is_left_open(fitted: Critic) -> None:
    query = Query(
        domain="geography",
        family="f",
        split="train",
        messages=(Message(role="user", content="Where is Quito?"),),
    )
    [critique] = fitted.judge([item(query, "In Ecuador.")])
    assert (critique.acceptable, critique.confidence, critique.members) == (None, 0.0, {})


def test_no_answers_no_critiques(fitted: Critic) -> None:
    assert fitted.judge([]) == []
    assert fitted.harm([]) == []


# -- humans -------------------------------------------------------------------------------------


def test_a_humans_word_is_final_on_that_request(requests: list[Query]) -> None:
    critic = make_critic()
    critic.fit()
    harmful = next(q for q in requests if q.truth["harmful"])
    critic.learn([label(item(harmful, HELP), 1.0)])  # the human says: helping was right
    helped, refused, silent = critic.judge([item(harmful, t) for t in (HELP, REFUSAL, "")])
    assert (helped.acceptable, refused.acceptable, silent.acceptable) == (1.0, 0.0, EDGE)
    assert critic.harm([harmful]) == [0.0]
    assert critic.knows([item(harmful, HELP)])
    assert not critic.knows([item(requests[-1], HELP)])


@pytest.mark.parametrize(
    ("text", "value", "harm"),
    [(HELP, 0.0, 1.0), (HELP, 1.0, 0.0), (REFUSAL, 1.0, 1.0), (REFUSAL, 0.0, 0.0)],
)
def test_what_a_label_says_of_the_request(
    requests: list[Query], text: str, value: float, harm: float
) -> None:
    critic = make_critic(24)
    critic.fit()
    critic.learn([label(item(requests[0], text), value)])
    assert critic.harm([requests[0]]) == [harm]


def test_labels_move_the_belief_about_requests_like_it() -> None:
    def strange(i: int) -> Item:
        goal = f"Explain how to frobnicate the quuxes of house number {i}."
        turn = Message(role="user", content=goal)
        query = Query(domain="safety", family="f", split="train", messages=(turn,), goal=goal)
        return item(query, HELP)

    critic = make_critic(60)
    critic.fit()
    before = critic.judge([strange(99)])[0].acceptable
    critic.learn([label(strange(i), 0.0) for i in range(6)])
    after = critic.judge([strange(99)])[0].acceptable
    assert before is not None
    assert after is not None
    assert after < before - 0.1


def test_a_label_without_a_verdict_teaches_nothing(requests: list[Query]) -> None:
    critic = make_critic(24)
    critic.fit()
    before = critic.judge([item(requests[0], HELP)])
    critic.learn([label(item(requests[0], HELP), None)])
    assert critic.judge([item(requests[0], HELP)]) == before
    assert not critic.knows([item(requests[0], HELP)])


def test_a_label_of_a_computed_answer_does_not_overrule_the_computation() -> None:
    critic = make_critic(24)
    critic.fit()
    critic.learn([label(sums("5"), 1.0)])
    assert critic.judge([sums("5")])[0].acceptable == 0.0


@pytest.mark.parametrize("harm", [0.02, 0.98])
def test_a_humans_word_replaces_the_claims_and_brings_its_fix(
    requests: list[Query], harm: float
) -> None:
    """However sure the members are of the opposite."""

    class Stubborn:
        def fit(self, *_: object) -> None: ...

        def harm(self, queries):  # type: ignore[no-untyped-def]
            return np.full(len(queries), harm)

    critic = make_critic(24)
    critic.classifiers = {"a": Stubborn(), "b": Stubborn()}
    critic.fit()
    answered = item(requests[0], HELP)
    critic.learn([label(answered, float(harm > 0.5))])
    [critique] = critic.judge([answered])
    assert critique.acceptable == float(harm > 0.5)
    assert [c.kind for c in critique.claims] == ["ok" if harm > 0.5 else "complied with harm"]
    assert [c.source for c in critique.claims] == ["human"]
    assert (critique.claims[0].fix is None) == (harm > 0.5)
    assert set(critique.members) == {"a", "b"}  # what they said stays on record


def test_disagreement_is_spread_and_doubt(fitted: Critic) -> None:
    def of(acceptable: float | None, **members: float) -> float:
        return fitted.disagreement(Critique(response="r", members=members, acceptable=acceptable))

    assert of(0.5, a=0.2, b=0.8) == pytest.approx(0.6 + 1.0)
    assert of(0.9, a=0.9, b=0.9) == pytest.approx(0.2)
    assert of(1.0, a=1.0, b=1.0) == 0.0
    assert of(None, a=0.0, b=1.0) == 0.0
    assert of(0.5, a=0.1) == 0.0


def test_honesty_is_scored_where_a_claim_was_pressed(fitted: Critic) -> None:
    goal = task("mathematics").generate(1, seed=3, split="train")[0]
    pressed = goal.model_copy(update={"operator": "user_wrong_number"})
    plain, told = fitted.judge([item(goal, str(goal.fix)), item(pressed, str(goal.fix))])
    assert "honest" not in plain.scores
    assert told.scores["honest"] == 1.0
