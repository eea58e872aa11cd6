"""Records: frozen, typed, with identities that come from their content alone."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from superalign.records import (
    Claim,
    Critique,
    Demonstration,
    Label,
    Message,
    Preference,
    Query,
    Record,
    Response,
    Verdict,
    content_hash,
)

ASK = Message(role="user", content="What is ½ + ½? 好\u2028")
QUERY = Query(
    domain="mathematics",
    family="sum",
    split="train",
    messages=(Message(role="system", content="Be brief."), ASK),
    truth={"answer": "1", "options": ["1", "2"]},
    fix="½ + ½ = 1",
)
RESPONSE = Response(
    query=QUERY.id, parent=QUERY.id, text="1", tokens=(1, 2), logprobs=(-0.5, -1.25), model="m"
)
CRITIQUE = Critique(
    response=RESPONSE.id,
    claims=(Claim(kind="ok", location="answer '1'", severity=0.0),),
    scores={"correct": 1.0},
    members={"verifier": 1.0},
    acceptable=1.0,
    confidence=1.0,
)
RECORDS: list[Record] = [
    QUERY,
    RESPONSE,
    CRITIQUE,
    Label(response=RESPONSE.id, value=None, source="human"),
    Demonstration(query=QUERY, completion="1", source="verifier"),
    Preference(query=QUERY, chosen="1", rejected="2", source="critic", probability=0.75),
]
BY_KIND = pytest.mark.parametrize("record", RECORDS, ids=lambda r: type(r).__name__)


@BY_KIND
def test_an_identity_is_the_hash_of_all_other_fields(record: Record) -> None:
    fields = record.model_dump(exclude={"id"})
    assert record.id == content_hash(fields)
    assert len(record.id) == 16
    assert type(record)(**fields).id == record.id


@BY_KIND
def test_json_round_trip(record: Record) -> None:
    again = type(record).model_validate_json(record.model_dump_json())
    assert again == record
    assert again.id == record.id
    assert type(record)(**record.model_dump(mode="json")) == record
    bare = record.model_dump(mode="json", exclude={"id"})
    assert type(record)(**bare).id == record.id  # lists for tuples make no other record


@BY_KIND
def test_records_are_frozen_and_refuse_unknown_fields(record: Record) -> None:
    with pytest.raises(ValidationError):
        record.id = "other"
    with pytest.raises(ValidationError, match="Extra inputs"):
        type(record)(**record.model_dump(), mood="good")


@BY_KIND
def test_any_change_of_content_is_another_record(record: Record) -> None:
    fields = record.model_dump(exclude={"id"})
    assert type(record)(**(fields | {"parent": "someone else"})).id != record.id


def test_a_given_identity_is_kept() -> None:
    assert Label(id="mine", response="r", value=1.0, source="human").id == "mine"


def test_identities_are_known_and_stay() -> None:
    """Stored runs hold these; a change of them orphans every stored record."""
    assert content_hash({"b": 1, "a": [1.5, None, "é"]}) == content_hash(
        {"a": [1.5, None, "é"], "b": 1}
    )
    assert content_hash({"a": 1}) == "015abd7f5cc57a2d"
    assert content_hash([1, 2], length=8) == content_hash([1, 2])[:8]


def test_identities_do_not_depend_on_the_process() -> None:
    code = (
        "from superalign.records import Label;"
        "print(Label(response='r', value=0.5, source='human', note='ü').id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == Label(response="r", value=0.5, source="human", note="ü").id


@given(st.text(), st.floats(0, 1))
def test_any_text_and_number_survives(text: str, number: float) -> None:
    label = Label(response="r", value=number, source="human", note=text)
    assert Label.model_validate_json(label.model_dump_json()) == label


def test_a_query_gives_its_chat_and_its_last_user_turn() -> None:
    assert QUERY.chat == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": ASK.content},
    ]
    assert QUERY.text == ASK.content
    turns = [Message(role=r, content=f"{i}") for i, r in enumerate(("user", "assistant", "user"))]  # type: ignore[arg-type]
    many = QUERY.model_copy(update={"messages": (*turns, Message(role="assistant", content="x"))})
    assert many.text == "2"


@pytest.mark.parametrize(
    ("value", "failed"), [(0.0, True), (0.49, True), (0.5, False), (1.0, False), (None, False)]
)
def test_a_missing_verdict_is_no_failure(value: float | None, failed: bool) -> None:
    assert Verdict(value=value, kind="ok").failed is failed


@pytest.mark.parametrize(
    "make",
    [
        lambda: Verdict(value=1.5, kind="ok"),
        lambda: Verdict(value=1.0, kind="nice"),
        lambda: Label(response="r", value=-0.1, source="human"),
        lambda: Label(response="r", value=1.0, source="a friend"),
        lambda: Label(response="r", source="human"),  # a label must say that it is missing
        lambda: Critique(response="r", acceptable=2.0),
        lambda: Claim(kind="ok", severity=-1.0),
        lambda: Message(role="robot", content="x"),
        lambda: Preference(query=QUERY, chosen="a", rejected="b", source="s", probability=1.1),
        lambda: Demonstration(query=QUERY, completion="a", source="s", weight=-1.0),
        lambda: Query(domain="d", family="f", split="test", messages=(ASK,)),
    ],
)
def test_values_out_of_range_are_refused(make: Any) -> None:
    with pytest.raises(ValidationError):
        make()
