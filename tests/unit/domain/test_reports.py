"""What a worker outside may say, against the log that its turn has."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from sojourn.domain import events as e
from sojourn.domain.actor import Actor
from sojourn.domain.ask import NewAsk
from sojourn.domain.content import Usage
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import AskId, MessageId, TurnId, uuid7
from sojourn.domain.log import LogEntry
from sojourn.domain.reports import Account, Report

TURN = TurnId(uuid7())
MESSAGE = MessageId(uuid7())
OTHER = MessageId(uuid7())
ASK = AskId(uuid7())

STARTED = e.TurnStarted(attempt=1, worker="w", agent_version=1)
CALLED = e.ModelCalled(call=1, model="m", message=MESSAGE)
SAID = e.MessageCompleted(message=MESSAGE, call=1, text="hello")
ANSWERED = e.ModelCompleted(call=1, model="m", provider="p", usage=Usage(1, 1), finish_reason="stop")
WANTED = e.ToolRequested(call=1, index=0, id="t", name="look", arguments="{}")
BEGUN = e.ToolStarted(call=1, index=0)
DONE = e.ToolCompleted(call=1, index=0, id="t", name="look", status="done", output="seen")
NEXT = e.ModelCalled(call=2, model="m", message=OTHER)


def account(*events: e.Event) -> Account:
    return Account().extend(
        LogEntry(seq, TURN, event.type, event) for seq, event in enumerate((STARTED, *events), 1)
    )


def report(*log: e.Event) -> Report:
    return Report(account(*log), announces=True)


def an_ask(call: int = 1, index: int = 0) -> NewAsk:
    return NewAsk(id=AskId(uuid7()), kind="approval", prompt={"call": call, "index": index})


def test_a_whole_turn_may_be_said_in_one_report_or_in_many() -> None:
    report(CALLED).append([SAID, ANSWERED, WANTED], [BEGUN], None)
    report(CALLED, SAID, ANSWERED, WANTED, BEGUN).append([DONE], [NEXT], 2)
    report(CALLED).settle([SAID, ANSWERED, WANTED, DONE])
    report(CALLED).settle([e.MessageAbandoned(message=MESSAGE, call=1)])
    report().append([e.UsageRecorded(source="s", usage=Usage(1))], [CALLED], 1)


def test_what_is_open_may_stay_so_for_a_retry_or_a_wait_and_not_for_the_end() -> None:
    report(CALLED).retry([])
    report(CALLED, SAID, ANSWERED).wait([WANTED], [an_ask()])
    for log, problem in (
        ((CALLED,), "the end of the message"),
        ((CALLED, SAID, ANSWERED, WANTED), "tool call t"),
    ):
        with pytest.raises(InvalidRequest, match=problem):
            report(*log).settle([])


def test_an_abandoned_call_is_made_again_under_its_number() -> None:
    void = e.MessageAbandoned(message=MESSAGE, call=1)
    again = e.ModelCalled(call=1, model="m", message=OTHER)
    report(CALLED).append([void], [again], 1)


BAD_USAGE = e.UsageRecorded(source="s", usage=Usage(-1))
BAD_COST = e.UsageRecorded(source="s", usage=Usage(cost_usd=Decimal("NaN")))


@pytest.mark.parametrize(
    ("log", "events", "intents", "problem"),
    [
        ((), [CALLED], [], "belongs to the intents"),
        ((CALLED,), [], [SAID], "belongs to the events"),
        ((CALLED,), [], [NEXT], "before the end of call 1"),
        ((), [], [NEXT], "must be call 1"),
        ((CALLED, SAID, ANSWERED, WANTED), [], [NEXT], "before the result of the tool call t"),
        ((CALLED,), [e.MessageCompleted(message=OTHER, call=1, text="")], [], "must be the message"),
        ((CALLED, SAID), [SAID], [], "said already"),
        ((), [e.MessageCompleted(message=OTHER, call=3, text="")], [], "of no call that is open"),
        ((), [e.MessageAbandoned(message=OTHER, call=1)], [], "no message that is open"),
        ((CALLED,), [ANSWERED], [], "before its message"),
        ((CALLED, SAID, ANSWERED), [ANSWERED], [], "no call that is open"),
        ((CALLED,), [WANTED], [], "before the end of call"),
        ((CALLED, SAID, ANSWERED, WANTED), [WANTED], [], "must have the index 1"),
        (
            (CALLED, SAID, ANSWERED, WANTED),
            [e.ToolRequested(call=1, index=1, id="t", name="look", arguments="{}")],
            [],
            "id of another tool call",
        ),
        ((CALLED, SAID, ANSWERED), [DONE], [], "no tool call that is open"),
        ((CALLED, SAID, ANSWERED, WANTED, DONE), [DONE], [], "no tool call that is open"),
        ((CALLED, SAID, ANSWERED, WANTED, DONE), [], [BEGUN], "no tool call that is open"),
        (
            (CALLED, SAID, ANSWERED, WANTED),
            [e.ToolCompleted(call=1, index=0, id="x", name="look", status="done", output="")],
            [],
            "another tool call than t",
        ),
        (
            (CALLED, SAID, ANSWERED, WANTED, BEGUN),
            [e.ToolDenied(call=1, index=0, rule="look")],
            [],
            "was started",
        ),
        ((), [BAD_USAGE], [], "a count that is none"),
        ((), [BAD_COST], [], "a cost that is none"),
        ((), [e.UsageRecorded(source="", usage=Usage())], [], "empty or overlong"),
        ((), [], [], "must not be empty"),
        ((), [e.UsageRecorded(source="s", usage=Usage())] * 1001, [], "must not be more"),
    ],
)
def test_what_cannot_be_so_is_refused(
    log: Sequence[e.Event], events: Sequence[e.RunnerEvent], intents: Sequence[e.RunnerEvent], problem: str
) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        report(*log).append(events, intents, None)


def test_steers_are_read_before_the_next_call_and_no_other() -> None:
    with pytest.raises(InvalidRequest, match="next call, 1"):
        report().append([], [CALLED], 2)


def test_an_ask_is_about_an_open_tool_call_that_nobody_has_asked_about() -> None:
    log = (CALLED, SAID, ANSWERED, WANTED)
    opened = e.AskOpened(ask=ASK, kind="approval", prompt={"call": 1, "index": 0})
    for there, ask in (
        (log, an_ask(index=1)),
        (log, an_ask(call=2)),
        ((*log, DONE), an_ask()),
        ((*log, opened), an_ask()),
        ((*log, opened), NewAsk(id=ASK, kind="question", prompt={})),
    ):
        with pytest.raises(InvalidRequest, match=r"asks\.0"):
            report(*there).wait([], [ask])
    with pytest.raises(InvalidRequest, match="waits for a decision"):
        report(*log, opened).append([], [BEGUN], None)
    allowed = e.AskDecided(ask=ASK, decision="allow", answer=None, by=Actor("human"))
    report(*log, opened, allowed).append([], [BEGUN], None)


def test_nobody_does_what_was_not_allowed() -> None:
    opened = e.AskOpened(ask=ASK, kind="approval", prompt={"call": 1, "index": 0})
    denied = e.AskDecided(ask=ASK, decision="deny", answer=None, by=Actor("human"))
    asked = (CALLED, SAID, ANSWERED, WANTED, opened)
    with pytest.raises(InvalidRequest, match="waits for a decision"):
        report(*asked).settle([DONE])
    for events, intents in (([DONE], []), ([], [BEGUN])):
        with pytest.raises(InvalidRequest, match="was denied"):
            report(*asked, denied).append(events, intents, None)
    # Giving it up is no doing, and a program that acts by itself is only told of.
    report(*asked).settle([replace(DONE, status="cancelled")])
    report(*asked, denied).settle([replace(DONE, status="error")])
    Report(account(*asked, denied), announces=False).settle([DONE])


def test_a_program_that_calls_its_model_by_itself_tells_of_it_among_what_has_happened() -> None:
    Report(account(), announces=False).append([CALLED, SAID, ANSWERED, WANTED, BEGUN, DONE], [NEXT], None)
    with pytest.raises(InvalidRequest, match="belongs to the events"):
        Report(account(CALLED), announces=False).append([], [SAID], None)
