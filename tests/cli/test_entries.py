from dataclasses import fields
from datetime import UTC, datetime
from uuid import uuid4

from sojourn.cli.entries import summary
from sojourn.client import Event
from sojourn.client.types import Json
from sojourn.domain.events import EVENT_CLASSES


def event(type: str, data: dict[str, Json]) -> Event:
    return Event(seq=1, id=uuid4(), type=type, v=1, at=datetime.now(UTC), turn=None, data=data)


def test_a_type_that_is_not_known_is_summed_up_by_its_data() -> None:
    assert summary(event("planet.discovered", {"name": "Vulcan"})) == '{"name":"Vulcan"}'


def test_a_known_type_with_unexpected_data_is_summed_up_by_its_data() -> None:
    assert summary(event("input.received", {"later": True})) == '{"later":true}'


def test_large_data_is_summed_up_by_its_reference() -> None:
    data: dict[str, Json] = {"blob": {"sha256": "00", "size": 40_000}}
    assert summary(event("message.completed", data)) == '{"blob":{"sha256":"00","size":40000}}'


def test_every_type_of_the_domain_has_words_that_use_its_own_fields() -> None:
    """A field that the words name and the domain lacks would fall back to JSON."""
    samples: dict[str, Json] = {
        "content": [{"type": "text", "text": "Hello"}],
        "usage": {"input_tokens": 3, "output_tokens": 4, "cost_usd": "0.001"},
        "changes": {"title": "New"},
        "prompt": {"question": "Sure?"},
        "steps": [{"content": "Look", "priority": "high", "status": "pending"}],
    }
    wordless = {"session.updated"}
    for cls in EVENT_CLASSES:
        data: dict[str, Json] = {field.name: samples.get(field.name, "x") for field in fields(cls)}
        assert summary(event(cls.type, data)).startswith("{") == (cls.type in wordless), cls.type


def test_an_answer_and_its_cost_are_told_in_words() -> None:
    usage: Json = {"input_tokens": 3, "output_tokens": 4, "cost_usd": "0.001"}
    data: dict[str, Json] = {"finish_reason": "stop", "usage": usage, "simulated": True}
    assert summary(event("model.completed", data)) == "stop · 3 tokens in, 4 out · $0.001 · simulated"


def test_what_is_asked_is_told_in_words() -> None:
    call: Json = {"tool_call_id": "1", "name": "send", "arguments": {"to": "all"}, "call": 1, "index": 0}
    asked: dict[str, Json] = {"ask": "x", "kind": "approval", "prompt": call}
    assert summary(event("ask.opened", asked)) == 'approval: send {"to":"all"}'
    question: Json = {"question": "Which?", "options": ["red", "blue"], "name": "ask_user", "arguments": {}}
    put: dict[str, Json] = {"ask": "x", "kind": "question", "prompt": question}
    assert summary(event("ask.opened", put)) == 'question: Which? ["red","blue"]'
    denied: dict[str, Json] = {"call": 2, "index": 0, "rule": "*"}
    assert summary(event("tool.denied", denied)) == "#0 of call 2 by the rule *"


def test_what_somebody_has_done_says_who_it_was() -> None:
    human: Json = {"kind": "human", "key": None}
    timeout: Json = {"kind": "timeout", "key": None}
    told = [
        summary(event("ask.decided", {"ask": "x", "decision": "deny", "answer": None, "by": timeout})),
        summary(event("turn.cancelled", {"reason": "interrupted", "by": human})),
        summary(event("input.withdrawn", {"input": "x", "by": human})),
        summary(event("session.ended", {"status": "completed", "reason": None, "by": human})),
    ]
    assert told == ["deny · by timeout", "interrupted · by human", "by human", "completed · by human"]
