import random
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from sojourn.client import AnswerPart, AnswerReader, MessageEnded, Preview, TextAdded, TextVoided, TurnClosed
from sojourn.client.stream_types import Event, StreamItem
from sojourn.client.types import Json

TURN, MESSAGE = uuid4(), uuid4()


def event(type: str, turn: UUID | None = TURN, **data: Json) -> Event:
    return Event(seq=1, id=uuid4(), type=type, v=1, at=datetime.now(UTC), turn=turn, data=data)


def called(message: UUID = MESSAGE) -> Event:
    return event("model.called", call=1, model="sim/echo", message=str(message))


def completed(text: str, message: UUID = MESSAGE) -> Event:
    return event("message.completed", message=str(message), call=1, text=text)


def read(items: Iterable[StreamItem]) -> list[AnswerPart]:
    reader = AnswerReader()
    return [part for item in items for part in reader.read(item)]


def shown(parts: Iterable[AnswerPart]) -> str:
    """What a screen shows that obeys every part."""
    text = ""
    for part in parts:
        match part:
            case TextAdded():
                text += part.text
            case TextVoided():
                text = ""
            case _:
                pass
    return text


@given(text=st.text(min_size=1, max_size=80), seed=st.integers(), calls_at=st.integers(0, 10))
def test_the_shown_text_is_the_committed_one_whichever_previews_come(
    text: str, seed: int, calls_at: int
) -> None:
    chance = random.Random(seed)
    edges = [0, *sorted(chance.randint(0, len(text)) for _ in range(5)), len(text)]
    pieces = [
        Preview(message=MESSAGE, offset=start, text=text[start:end])
        for start, end in pairwise(edges)
        for _ in range(chance.choice([0, 1, 1, 2]))
    ]
    items: list[StreamItem] = [*pieces]
    items.insert(min(calls_at, len(pieces)), called())
    parts = read([*items, completed(text)])
    assert parts[-1] == MessageEnded(TURN, MESSAGE, text, interrupted=False)
    assert shown(parts) == text
    assert not any(isinstance(part, TextVoided) for part in parts)


def test_previews_are_shown_before_the_message_is_committed() -> None:
    parts = read(
        [
            called(),
            Preview(message=MESSAGE, offset=0, text="He"),
            Preview(message=MESSAGE, offset=2, text="y"),
        ]
    )
    assert parts == [TextAdded(TURN, MESSAGE, "He"), TextAdded(TURN, MESSAGE, "y")]


def test_text_behind_a_missed_preview_waits_for_the_committed_message() -> None:
    items = [called(), Preview(message=MESSAGE, offset=4, text="part"), completed("the part")]
    assert read(items)[:-1] == [TextAdded(TURN, MESSAGE, "the part")]


def test_a_committed_text_that_differs_from_its_previews_replaces_them() -> None:
    items = [called(), Preview(message=MESSAGE, offset=0, text="wrong"), completed("right")]
    assert read(items)[:-1] == [
        TextAdded(TURN, MESSAGE, "wrong"),
        TextVoided(TURN, MESSAGE, is_abandoned=False),
        TextAdded(TURN, MESSAGE, "right"),
    ]


def test_an_abandoned_message_voids_what_was_shown_of_it() -> None:
    abandoned = event("message.abandoned", message=str(MESSAGE), call=1)
    second = uuid4()
    items = [
        *(called(), Preview(message=MESSAGE, offset=0, text="half a sen"), abandoned),
        *(called(second), completed("A sentence.", second)),
    ]
    parts = read(items)
    assert parts[1] == TextVoided(TURN, MESSAGE, is_abandoned=True)
    assert shown(parts) == "A sentence."


def test_previews_of_a_message_that_has_ended_are_not_shown_again() -> None:
    reader = AnswerReader()
    for item in (called(), completed("Done.")):
        list(reader.read(item))
    late = Preview(message=MESSAGE, offset=0, text="Done.")
    assert list(reader.read(late)) == []


def test_a_failed_turn_is_closed_with_its_error() -> None:
    parts = read([event("turn.failed", reason="error", error="no such model")])
    assert parts == [TurnClosed(TURN, "failed", "error", "no such model")]
