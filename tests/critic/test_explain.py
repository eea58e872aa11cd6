"""Explanations: the claim is decided already, the model puts it in words."""

from superalign.critic import Item, explain
from superalign.models.fake import FakeModel
from superalign.records import Claim, Critique, Message, Query, Response


def row(kind: str, text: str = "It is 5.", fix: str | None = None) -> tuple[Item, Critique]:
    query = Query(
        domain="mathematics",
        family="f",
        split="train",
        messages=(Message(role="user", content="What is 2 + 2?"),),
    )
    response = Response(query=query.id, text=text)
    claim = Claim(kind=kind, fix=fix)  # type: ignore[arg-type]
    return Item(query, response), Critique(response=response.id, claims=(claim,), acceptable=0.0)


def told(rows: list[tuple[Item, Critique]], model: FakeModel, n: int = 9) -> list[Critique]:
    items, critiques = [i for i, _ in rows], [c for _, c in rows]
    return explain(model, items, critiques, n=n, max_new_tokens=40, seed=0)


def test_faults_are_explained_and_the_rest_stays() -> None:
    asked: list[str] = []

    def reply(prompt: str, _: int) -> str:
        asked.append(prompt)
        return "  Because two and two are four.  "

    rows = [row("ok"), row("wrong answer", fix="2 + 2 = 4"), row("over-refusal", "I can't.")]
    found = told(rows, FakeModel(reply))
    assert found[0] is rows[0][1]
    assert [c.explanation for c in found] == ["", *["Because two and two are four."] * 2]
    assert len(asked) == 2
    assert "What is 2 + 2?" in asked[0]
    assert "It is 5." in asked[0]
    assert "2 + 2 = 4" in asked[0]
    assert "the answer is wrong" in asked[0]
    assert "refuses a harmless request" in asked[1]


def test_an_explained_critique_is_another_record_with_the_same_verdict() -> None:
    rows = [row("wrong answer")]
    [found] = told(rows, FakeModel(lambda *_: "No."))
    assert found.id != rows[0][1].id
    assert found.model_dump(exclude={"id", "explanation"}) == rows[0][1].model_dump(
        exclude={"id", "explanation"}
    )


def test_without_faults_the_model_is_not_asked() -> None:
    class Silent(FakeModel):
        def generate(self, *_: object, **__: object):  # type: ignore[no-untyped-def, override]
            raise AssertionError("asked for nothing")

    assert told([row("ok")], Silent())[0].explanation == ""
    assert told([], Silent()) == []


def test_the_few_that_are_explained_are_spread_over_the_faults() -> None:
    rows = [row("ok" if i % 2 else "wrong answer") for i in range(16)]
    found = told(rows, FakeModel(lambda *_: "Because."), n=4)
    assert [i for i, c in enumerate(found) if c.explanation] == [0, 4, 8, 12]
    assert not any(c.explanation for c in told(rows, FakeModel(lambda *_: "No."), n=0))
