"""The transcript tells what the fold of the conversation tells, and more of each message."""

from datetime import UTC, datetime, timedelta

from sojourn.domain import events as e
from sojourn.domain.actor import Actor
from sojourn.domain.content import TextPart
from sojourn.domain.ids import InputId, MessageId, TurnId, uuid7
from sojourn.domain.log import LogEntry
from sojourn.domain.transcript import TYPES, Answered, Said, Transcript

TURN, LATER = TurnId(uuid7()), TurnId(uuid7())
INPUT = InputId(uuid7())
START = datetime(2030, 1, 1, tzinfo=UTC)
HUMAN = Actor("human")


def read(*events: e.Event, turn: TurnId | None = TURN, transcript: Transcript | None = None) -> Transcript:
    transcript = transcript or Transcript()
    entries = [LogEntry(seq, turn, event.type, event) for seq, event in enumerate(events, 1)]
    transcript.extend((START + timedelta(seconds=entry.seq), entry) for entry in entries)
    return transcript


def received(text: str, input: InputId = INPUT) -> e.InputReceived:
    return e.InputReceived(
        input=input, turn=TURN, kind="message", delivery="queue", content=(TextPart(text),), by=HUMAN
    )


def test_an_input_waits_until_it_is_delivered_and_takes_its_last_text_along() -> None:
    edited = e.InputEdited(input=INPUT, revision=1, content=(TextPart("new"),), by=HUMAN)
    waiting = read(received("old"), edited)
    assert waiting.entries == []
    assert [said.content[0].text for said in waiting.waiting.values()] == ["new"]
    delivered = read(received("old"), edited, e.InputDelivered(input=INPUT, call=1))
    assert delivered.waiting == {}
    assert [entry.id for entry in delivered.entries] == [INPUT]


def test_a_withdrawn_input_is_nowhere_and_one_from_before_the_log_is_passed_over() -> None:
    gone = read(received("x"), e.InputWithdrawn(input=INPUT, by=HUMAN))
    assert (gone.entries, gone.waiting) == ([], {})
    # Retention may have taken what was received.
    assert read(e.InputDelivered(input=INPUT, call=1)).entries == []


def test_an_abandoned_message_was_never_said() -> None:
    message = MessageId(uuid7())
    transcript = read(
        e.ModelCalled(call=1, model="m", message=message), e.MessageAbandoned(message=message, call=1)
    )
    assert transcript.entries == []


def test_a_turn_that_failed_before_it_said_anything_has_an_answer_that_says_why() -> None:
    failed = e.TurnFailed(reason="error", error="No such model.")
    first, again = read(failed), read(failed)
    (answer,) = first.entries
    assert isinstance(answer, Answered)
    assert (answer.error, answer.completed_at) == ("No such model.", START + timedelta(seconds=1))
    # Its id is the same whenever the log is read.
    assert again.entries[0].id == answer.id
    other = read(failed, turn=LATER).entries[0]
    assert other.id != answer.id


def test_results_go_to_the_last_answer_of_their_own_turn() -> None:
    one, two = MessageId(uuid7()), MessageId(uuid7())
    transcript = read(
        e.ModelCalled(call=1, model="m", message=one),
        e.MessageCompleted(message=one, call=1, text="I look."),
        e.ToolRequested(call=1, index=0, id="c", name="look", arguments="{}"),
        e.ToolStarted(call=1, index=0),
    )
    read(e.ModelCalled(call=1, model="m", message=two), turn=LATER, transcript=transcript)
    read(
        e.ToolCompleted(call=1, index=0, id="c", name="look", status="done", output="seen"),
        transcript=transcript,
    )
    first, second = transcript.entries
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert (first.text, first.tools[0].status, first.tools[0].output) == ("I look.", "done", "seen")
    assert second.tools == {}


def test_an_answer_knows_what_it_answers() -> None:
    message = MessageId(uuid7())
    transcript = read(
        received("hello"),
        e.InputDelivered(input=INPUT, call=1),
        e.ModelCalled(call=1, model="m", message=message),
    )
    said, answer = transcript.entries
    assert isinstance(said, Said)
    assert isinstance(answer, Answered)
    assert answer.parent == said.id
    assert answer.completed_at is None


def test_what_is_not_of_its_types_is_passed_over() -> None:
    assert read(e.TurnResumed(), e.TurnCompleted()).entries == []
    assert e.TurnResumed.type not in TYPES
