"""How a turn begins to wait for asks, and what their decisions do: the part of `decide.py` about waiting."""

from collections.abc import Iterable
from dataclasses import replace

from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.actor import Actor
from sojourn.domain.ask import Ask
from sojourn.domain.delivery import effect_on
from sojourn.domain.draft import Draft
from sojourn.domain.errors import WrongState
from sojourn.domain.turn import Move, TurnStatus, next_status


def wait_turn(draft: Draft, command: c.WaitTurn) -> None:
    turn = draft.open_turn()
    draft.say_for_turn(command.events)
    starts = sum(ask.kind == "session" for ask in command.asks)
    if starts:
        kin = draft.session.kin
        draft.session = replace(draft.session, kin=replace(kin, children=kin.children + starts))
    for ask in command.asks:
        draft.put_ask(ask)
        opened = e.AskOpened(ask=ask.id, kind=ask.kind, prompt=dict(ask.prompt), expires_at=ask.expires_at)
        draft.say(opened, turn.id)
    draft.say(e.TurnWaiting(mode=command.mode, asks=tuple(ask.id for ask in command.asks)), turn.id)
    parks = command.mode == "parked"
    status = next_status(turn.status, Move.PARK if parks else Move.HOLD)
    # A held wait that was reclaimed leaves its asks behind, and they are still to be decided.
    open_asks = turn.open_asks + len(command.asks)
    if not open_asks:
        raise WrongState("turn", turn.status, "wait for nothing")
    faults = 0 if progressed(command.events) else turn.faults
    draft.put_turn(replace(turn, status=status, parked=parks, open_asks=open_asks, stalled=0, faults=faults))
    if parks:
        draft.advance_fence()
        draft.lease = "release"


def progressed(events: Iterable[e.Event]) -> bool:
    return any(
        isinstance(event, e.ModelCompleted | e.ToolCompleted | e.CompactionCompleted) for event in events
    )


def decide_ask(draft: Draft, command: c.DecideAsk) -> None:
    ask = command.ask
    if ask.status != "open" or draft.turn is None or ask.turn != draft.turn.id:
        raise WrongState("ask", ask.status, "be decided")
    turn = draft.turn
    effect_on(draft.session, turn, "tool_result" if ask.kind == "client_tool" else "decision", "steer")
    draft.put_ask(replace(ask, status="decided"))
    draft.say(
        e.AskDecided(ask=ask.id, decision=command.decision, answer=command.answer, by=command.by), turn.id
    )
    left = turn.open_asks - 1
    if left or turn.status is not TurnStatus.WAITING:
        draft.put_turn(replace(turn, open_asks=left))
        return
    draft.say(e.TurnResumed(), turn.id)
    status = next_status(turn.status, Move.REQUEUE if turn.parked else Move.RESUME)
    draft.put_turn(replace(turn, status=status, open_asks=0, parked=False))


def decide_asks(draft: Draft, command: c.DecideAsks) -> None:
    """What somebody says of asks. WrongState for one whose deadline has passed: that is for its policy to decide.

    Upkeep comes by a moment after the deadline; until then the ask is open, and yet too late to be answered.
    """
    for verdict in command.verdicts:
        due_at = verdict.ask.expires_at
        if verdict.ask.status == "open" and due_at is not None and due_at <= draft.now:
            raise WrongState("ask", "expired", "be decided")
        decide_ask(draft, verdict)


def dismiss_asks(draft: Draft, asks: Iterable[Ask], by: Actor) -> None:
    for ask in asks:
        decide_ask(draft, c.DecideAsk(ask=ask, decision="deny", by=by))
