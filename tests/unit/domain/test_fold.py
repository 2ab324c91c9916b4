from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.ask import prompt_of
from sojourn.domain.content import Message, TextPart, ToolCallPart, ToolResultPart
from sojourn.domain.events import (
    AskDecided,
    AskOpened,
    Event,
    MessageAbandoned,
    MessageCompleted,
    ProviderSessionLinked,
    SessionForked,
    SessionTrimmed,
    ToolCompleted,
    ToolRequested,
    TurnStarted,
)
from sojourn.domain.fold import (
    CallModel,
    Conversation,
    DecidedTool,
    Finish,
    RunTools,
    Unfinished,
    UnknownEventType,
)
from sojourn.domain.ids import AgentId, AskId, MessageId, SessionId, TurnId, uuid7
from sojourn.domain.kinds import Json
from sojourn.domain.log import LogEntry
from tests.unit.domain.make import SOMEBODY, answered, called, done, requested, started
from tests.unit.domain.walk import Walk

TURN = TurnId(uuid7())
randoms = st.randoms(use_true_random=False)


def entries(*events: Event, after: int = 0) -> list[LogEntry]:
    return [LogEntry(seq, TURN, event.type, event) for seq, event in enumerate(events, after + 1)]


def fold(*events: Event) -> Conversation:
    return Conversation().extend(entries(TurnStarted(attempt=1, worker="w", agent_version=1), *events))


@given(random=randoms, steps=st.integers(1, 60), data=st.data())
def test_a_fold_in_two_parts_equals_the_fold_of_the_whole_wherever_it_is_split(
    random: Random, steps: int, data: st.DataObject
) -> None:
    log = Walk(random).steps(steps).model.log
    split = data.draw(st.integers(0, len(log)))
    assert Conversation().extend(log[:split]).extend(log[split:]) == Conversation().extend(log)


@given(random=randoms, steps=st.integers(1, 80))
def test_every_tool_call_has_exactly_one_result_before_the_next_model_call(
    random: Random, steps: int
) -> None:
    messages = Walk(random).steps(steps).model.conversation().messages
    # The results of the last calls may still be on their way.
    for place, message in enumerate(messages[:-2]):
        calls = [part.id for part in message.parts if isinstance(part, ToolCallPart)]
        results = [part.id for part in messages[place + 1].parts if isinstance(part, ToolResultPart)]
        assert sorted(results) == sorted(calls)


def test_a_kept_fold_of_a_log_that_was_cut_equals_the_fold_of_what_is_left() -> None:
    call = called()
    linked = ProviderSessionLinked(kind="acp", agent="cli", provider_session="s")
    kept = fold(linked, call, *answered(call))
    cut = entries(SessionTrimmed(first_seq=kept.seq + 1, by=SOMEBODY), after=kept.seq)
    assert kept.extend(cut) == Conversation().extend(cut)
    assert kept.messages == []


def asking(tool: ToolRequested) -> AskOpened:
    return AskOpened(ask=AskId(uuid7()), kind="client_tool", prompt=prompt_of(tool, {}))


def test_an_answer_without_tools_finishes_the_turn() -> None:
    call = called()
    assert fold().progress.next_step() == CallModel(1)
    assert fold(call).progress.next_step() == CallModel(1, MessageAbandoned(message=call.message, call=1))
    assert fold(call, *answered(call)).progress.next_step() == Finish()


def test_requested_tools_run_and_then_the_model_is_called_again() -> None:
    call, first, second = called(), requested(index=0), requested(index=1)
    asked = (call, *answered(call), first, second)
    assert fold(*asked).progress.next_step() == RunTools((first, second), ())
    assert fold(*asked, started(first)).progress.next_step() == RunTools((second,), (first,))
    finished = fold(*asked, started(first), done(first), done(second))
    assert finished.progress.next_step() == CallModel(2)
    assert [message.role for message in finished.messages] == ["assistant", "tool"]


def test_tools_that_somebody_else_decides_of_are_told_from_those_that_may_start() -> None:
    call, free, open_, settled = called(), *(requested(index=index) for index in range(3))
    opened, decided = asking(open_), asking(settled)
    verdict = AskDecided(ask=decided.ask, decision="answer", answer="yes", by=SOMEBODY)
    asked = (call, *answered(call), free, open_, settled, opened, decided, verdict)
    assert fold(*asked).progress.next_step() == RunTools(
        waiting=(free,), lost=(), asked=(open_,), decided=(DecidedTool(settled, "client_tool", verdict),)
    )
    # Once it runs or has its result, its decision is spent.
    started_ = fold(*asked, started(settled), done(open_)).progress.next_step()
    assert started_ == RunTools(waiting=(free,), lost=(settled,))


def test_a_lost_tool_runs_again_with_the_arguments_that_were_allowed() -> None:
    call, tool = called(), requested()
    opened = replace(asking(tool), kind="approval")
    edited: Json = {"arguments": {"at": "sea"}}
    verdict = AskDecided(ask=opened.ask, decision="allow", answer=edited, by=SOMEBODY)
    lost = fold(call, *answered(call), tool, opened, verdict, started(tool)).progress.next_step()
    assert lost == RunTools(waiting=(), lost=(replace(tool, arguments='{"at": "sea"}'),))


def test_an_ask_of_an_earlier_call_or_about_no_call_says_nothing_of_the_tools() -> None:
    first, second, tool = called(1), called(2), requested(index=0)
    vague = AskOpened(ask=AskId(uuid7()), kind="approval", prompt={})
    stale = AskOpened(ask=AskId(uuid7()), kind="approval", prompt={"call": 1, "index": 0})
    again = replace(tool, call=2)
    asked = (first, *answered(first), tool, done(tool), second, *answered(second), again, vague, stale)
    assert fold(*asked).progress.next_step() == RunTools((again,), ())


def test_parallel_results_are_one_message_in_the_order_of_their_coming() -> None:
    call, first, second = called(), requested(index=0), requested(index=1)
    folded = fold(call, *answered(call, "I look."), first, second, done(second, "two"), done(first, "one"))
    assert folded.messages == [
        Message(
            "assistant",
            (
                TextPart("I look."),
                ToolCallPart("t1.0", "clock", "{}"),
                ToolCallPart("t1.1", "clock", "{}"),
            ),
        ),
        Message(
            "tool",
            (
                ToolResultPart("t1.1", "clock", "done", "two"),
                ToolResultPart("t1.0", "clock", "done", "one"),
            ),
        ),
    ]


def test_an_abandoned_call_is_made_again_under_its_own_number() -> None:
    call = called()
    void = MessageAbandoned(message=call.message, call=1)
    assert fold(call, void).progress.next_step() == CallModel(1)
    assert fold(call, void).messages == []


def test_an_interrupted_message_stays_in_the_conversation() -> None:
    call = called()
    part = MessageCompleted(message=call.message, call=1, text="I was say", interrupted=True)
    assert fold(call, part).messages == [Message("assistant", (TextPart("I was say"),))]


def test_an_unknown_type_fails_the_fold_clearly() -> None:
    with pytest.raises(UnknownEventType, match=r"planet.discovered.*upgrade"):
        Conversation().extend([LogEntry(1, None, "planet.discovered", None)])


def test_what_is_unfinished_is_closed_with_one_event_each() -> None:
    call, waiting, running = called(), requested(index=0), requested(index=1)
    asked = (call, *answered(call), waiting, running, started(running))
    left = fold(*asked).progress.unfinished()
    assert left == Unfinished((waiting, running))
    results = left.closing("unknown", "worker lost")
    assert [type(result) for result in results] == [ToolCompleted, ToolCompleted]
    assert fold(*asked, *results).progress.unfinished() == Unfinished()

    open_call = fold(call).progress.unfinished()
    assert open_call.closing("cancelled", "") == (MessageAbandoned(message=call.message, call=1),)
    assert fold(call, *open_call.closing("cancelled", "")).progress.unfinished() == Unfinished()


def test_partial_text_is_kept_of_the_open_message_only() -> None:
    call = called()
    left = fold(call).progress.unfinished()
    kept = MessageCompleted(message=call.message, call=1, text="I was", interrupted=True)
    assert left.keeping(call.message, "I was").closing("cancelled", "") == (kept,)
    assert left.keeping(MessageId(uuid7()), "I was") == left
    assert left.keeping(call.message, "") == left
    assert Unfinished().keeping(call.message, "I was") == Unfinished()


def test_a_programs_own_session_is_known_until_another_takes_its_place_and_not_to_a_fork() -> None:
    first = ProviderSessionLinked(kind="acp", agent="opencode", provider_session="s1")
    second = replace(first, provider_session="s2", reason="the agent lost it")
    forked = SessionForked(
        parent=SessionId(uuid7()), at=2, agent=AgentId(uuid7()), agent_version=1, by=SOMEBODY
    )
    conversation = Conversation()
    known: list[str | None] = []
    for seq, event in enumerate((first, second, forked), 1):
        linked = conversation.extend([LogEntry(seq, None, event.type, event)]).provider_session
        known.append(None if linked is None else linked.provider_session)
    assert known == ["s1", "s2", None]
