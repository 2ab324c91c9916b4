"""How what waits to be told is joined, and fits into notifications."""

from uuid import UUID

import pytest

from sojourn.domain.feed import Preview
from sojourn.domain.ids import DEFAULT_ORG, MessageId, OrgId, SessionId, TurnId, uuid7
from sojourn.ports.wakeups import Hint
from sojourn.store.hints import (
    MAX_HINTS,
    MAX_PAYLOAD_BYTES,
    MAX_PREVIEW_CHARACTERS,
    Notice,
    WaitingHints,
    WaitingPreviews,
    heard,
    read_notice,
)

SESSION = SessionId(uuid7())


def hint(session: SessionId = SESSION, head: int = 0, stopped: frozenset[TurnId] = frozenset()) -> Hint:
    return Hint(DEFAULT_ORG, session, head=head, stopped=stopped)


def test_the_hints_of_a_session_become_one_that_says_all_of_them() -> None:
    waiting, turns = WaitingHints(), (TurnId(uuid7()), TurnId(uuid7()))
    waiting.add(hint(head=7, stopped=frozenset({turns[0]})))
    waiting.add(Hint(DEFAULT_ORG, SESSION, head=6, is_ready=True))
    waiting.add(Hint(DEFAULT_ORG, SESSION, ends_message=True, stopped=frozenset({turns[1]})))
    hints, _ = heard(read_notice(waiting.take()))
    assert hints == [
        Hint(DEFAULT_ORG, SESSION, head=7, is_ready=True, ends_message=True, stopped=frozenset(turns))
    ]
    assert not waiting


def test_sessions_of_one_id_in_two_organisations_are_told_apart() -> None:
    waiting, other = WaitingHints(), Hint(OrgId(UUID(int=2)), SESSION, head=2)
    waiting.add(hint(head=1))
    waiting.add(other)
    assert heard(read_notice(waiting.take()))[0] == [hint(head=1), other]


@pytest.mark.parametrize(
    "hints",
    [
        [hint(SessionId(uuid7())) for _ in range(MAX_HINTS + 1)],
        [hint(SessionId(uuid7()), 2**62) for _ in range(MAX_HINTS)],
        [hint(stopped=frozenset(TurnId(uuid7()) for _ in range(300)))],
    ],
    ids=["too many", "too long", "too much of one"],
)
def test_hints_that_fit_no_notification_become_a_word_for_everything(hints: list[Hint]) -> None:
    waiting = WaitingHints()
    for one in hints:
        waiting.add(one)
    assert read_notice(waiting.take()) == Notice(everything=True)
    waiting.add(hint(head=3))
    assert heard(read_notice(waiting.take()))[0] == [hint(head=3)]


def said(session: SessionId, message: MessageId, offset: int, text: str) -> Preview:
    return Preview(session, message, offset, text)


def taken(waiting: WaitingPreviews) -> list[Preview]:
    """All that waits, in the order of the notifications, each of which fits."""
    found: list[Preview] = []
    while waiting:
        payload = waiting.take()
        assert len(payload.encode()) <= MAX_PAYLOAD_BYTES
        found += [preview for _, preview in heard(read_notice(payload))[1]]
    return found


def test_texts_that_go_on_are_joined() -> None:
    waiting, message = WaitingPreviews(), MessageId(uuid7())
    waiting.add(DEFAULT_ORG, said(SESSION, message, 3, "ab"))
    waiting.add(DEFAULT_ORG, said(SESSION, message, 5, "cd"))
    assert taken(waiting) == [said(SESSION, message, 3, "abcd")]


def test_a_text_told_anew_and_a_next_message_take_the_place_of_what_waited() -> None:
    waiting, first, second = WaitingPreviews(), MessageId(uuid7()), MessageId(uuid7())
    waiting.add(DEFAULT_ORG, said(SESSION, first, 3, "ab"))
    waiting.add(DEFAULT_ORG, said(SESSION, first, 0, "xyzab"))
    assert taken(waiting) == [said(SESSION, first, 0, "xyzab")]
    waiting.add(DEFAULT_ORG, said(SESSION, first, 5, "c"))
    waiting.add(DEFAULT_ORG, said(SESSION, second, 0, "d"))
    assert taken(waiting) == [said(SESSION, second, 0, "d")]


@pytest.mark.parametrize("character", ["a", '"', "\x00", "é", "\U0001f600"])
def test_long_texts_are_told_in_pieces_of_whole_characters_and_by_turns(character: str) -> None:
    waiting, message, brief = WaitingPreviews(), MessageId(uuid7()), SessionId(uuid7())
    waiting.add(DEFAULT_ORG, said(SESSION, message, 0, character * 20_000))
    waiting.add(DEFAULT_ORG, said(brief, message, 0, "brief"))
    found = taken(waiting)
    assert [one.session for one in found[:2]] == [SESSION, brief]
    text = ""
    for one in found:
        if one.session == SESSION:
            assert one.offset == len(text)
            text += one.text
    assert text == character * 20_000


def test_the_text_of_an_ended_message_waits_no_more() -> None:
    waiting, message = WaitingPreviews(), MessageId(uuid7())
    waiting.add(DEFAULT_ORG, said(SESSION, message, 0, "ab"))
    waiting.drop(DEFAULT_ORG, SESSION)
    assert not waiting


def test_texts_that_nobody_takes_are_dropped_in_the_end() -> None:
    waiting, message = WaitingPreviews(), MessageId(uuid7())
    piece = "x" * (MAX_PREVIEW_CHARACTERS // 4)
    for number in range(5):
        waiting.add(DEFAULT_ORG, said(SESSION, message, number * len(piece), piece))
    assert not waiting
