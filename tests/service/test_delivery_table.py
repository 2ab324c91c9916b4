"""The table of deliveries, row by row, on sessions that were really brought there."""

from dataclasses import dataclass
from typing import assert_never, get_args

import pytest

from sojourn.domain.content import TextPart
from sojourn.domain.delivery import EFFECTS, Effect, Standing, standing
from sojourn.domain.errors import DomainError, InvalidRequest, WrongState
from sojourn.domain.events import AskDecided, TurnCancelled, TurnDeferred
from sojourn.domain.ids import TurnId
from sojourn.domain.input import Input
from sojourn.domain.kinds import Delivery, InputKind
from sojourn.domain.session import Session, SessionStatus
from sojourn.domain.turn import Turn, TurnStatus
from sojourn.service.asks import Verdict
from sojourn.service.inputs import NewInput
from tests.service.stand import Scene, stand
from tests.support.world import SOMEBODY, World


@dataclass(frozen=True)
class Sent:
    """What came of it: the input, whether work was stopped, or why it was refused."""

    input: Input | None = None
    stopped: bool = False
    refusal: DomainError | None = None


async def send(scene: Scene, kind: InputKind, delivery: Delivery) -> Sent:
    """By the verb for that kind; what has none is tried as an input."""
    services, org, session = scene.world.services, scene.world.org, scene.session
    try:
        match kind, delivery:
            case (("tool_result" | "decision"), "steer"):
                verdict = Verdict("answer" if kind == "tool_result" else "allow")
                await services.asks.decide(org, session, scene.ask, verdict, SOMEBODY)
                return Sent()
            case "interrupt", "interrupt":
                return Sent(stopped=(await services.turns.interrupt(org, session, SOMEBODY)).value)
            case _:
                new = NewInput(content=(TextPart("then"),), kind=kind, delivery=delivery)
                return Sent((await services.inputs.send(org, session, new, SOMEBODY)).value)
    except DomainError as refusal:
        return Sent(refusal=refusal)


async def seen(scene: Scene) -> tuple[Session, Turn | None]:
    session = (await scene.world.record(scene.session)).session
    return session, None if session.open_turn is None else await turn(scene, session.open_turn)


async def turn(scene: Scene, id: TurnId) -> Turn:
    return await scene.world.services.turns.get(scene.world.org, scene.session, id)


def test_the_table_says_what_becomes_of_everything_wherever_a_session_stands() -> None:
    assert set(EFFECTS) == {
        (at, kind, delivery)
        for at in Standing
        for kind in get_args(InputKind)
        for delivery in get_args(Delivery)
    }


@pytest.mark.parametrize("at", list(Standing))
async def test_what_arrives_does_what_its_row_of_the_table_says(world: World, at: Standing) -> None:
    for kind in get_args(InputKind):
        for delivery in get_args(Delivery):
            scene = await stand(world, at, "client_tool" if kind == "tool_result" else "approval")
            before, open_turn = await seen(scene)
            assert standing(before, open_turn) is at
            sent = await send(scene, kind, delivery)
            effect = EFFECTS[at, kind, delivery]
            if effect is Effect.SAME:
                effect = EFFECTS[Standing.PARKED, kind, delivery]
            try:
                await check(effect, scene, sent, before, open_turn)
            except AssertionError as error:
                error.add_note(f"{kind} delivered as {delivery} to a session that is {at}: {effect}")
                raise
    assert await world.problems() == []


async def check(effect: Effect, scene: Scene, sent: Sent, before: Session, open_turn: Turn | None) -> None:
    match effect:
        case Effect.START | Effect.REOPEN | Effect.FOLLOW | Effect.LINE_UP | Effect.STEER:
            await check_received(effect, scene, sent, before)
        case Effect.DEFER | Effect.REPLACE | Effect.DISMISS:
            assert open_turn is not None
            await check_disturbed(effect, scene, sent, open_turn)
        case Effect.DECIDE:
            assert open_turn is not None
            [decided] = await scene.world.said(scene.session, AskDecided)
            assert (sent.refusal, decided.ask, decided.by) == (None, scene.ask, SOMEBODY)
            assert (await turn(scene, open_turn.id)).open_asks == 0
        case Effect.STOP:
            assert open_turn is not None
            assert sent.stopped
            assert (await turn(scene, open_turn.id)).status is TurnStatus.CANCELLED
        case Effect.NOTHING:
            assert sent == Sent()
            assert (await seen(scene))[0].next_seq == before.next_seq
        case Effect.REFUSED | Effect.IMPOSSIBLE:
            expected = WrongState if effect is Effect.REFUSED else InvalidRequest
            assert isinstance(sent.refusal, expected)
            assert (await seen(scene))[0] == before
        case Effect.SAME:
            raise AssertionError("another row says what happens")
        case _:
            assert_never(effect)


async def check_received(effect: Effect, scene: Scene, sent: Sent, before: Session) -> None:
    after, _ = await seen(scene)
    assert sent.input is not None
    starts = effect in (Effect.START, Effect.REOPEN)
    assert after.open_turn == (sent.input.turn if starts else before.open_turn)
    assert after.queued_inputs == before.queued_inputs + (not starts)
    assert (before.status is SessionStatus.OPEN) == (effect is not Effect.REOPEN)
    assert after.status is SessionStatus.OPEN
    steers = await scene.world.store.write(
        lambda tx: tx.queued_inputs(scene.world.org, scene.session, steers_only=True, limit=10)
    )
    assert effect is not Effect.STEER or [one.id for one in steers] == [sent.input.id]


async def check_disturbed(effect: Effect, scene: Scene, sent: Sent, open_turn: Turn) -> None:
    world, session = scene.world, scene.session
    after, _ = await seen(scene)
    assert sent.input is not None
    decided = [one.decision for one in await world.said(session, AskDecided)]
    ended = await world.said(session, TurnCancelled)
    match effect:
        case Effect.DISMISS:
            assert (after.open_turn, decided) == (open_turn.id, ["deny"])
            assert (await turn(scene, open_turn.id)).status is TurnStatus.QUEUED
        case Effect.REPLACE:
            assert after.open_turn == sent.input.turn
            assert (await turn(scene, open_turn.id)).status is TurnStatus.CANCELLED
            assert ended[-1].by == SOMEBODY
        case _:
            # Its input is not lost: it is the next one in the queue.
            [deferred] = await world.said(session, TurnDeferred)
            assert (deferred.input, deferred.by) == (open_turn.input, SOMEBODY)
            assert after.open_turn == sent.input.turn
            queue = await world.services.inputs.queue(world.org, session, None, 10)
            assert [one.id for one in queue] == [sent.input.id, open_turn.input]
            await world.services.turns.cancel(world.org, session, sent.input.turn, SOMEBODY)
            assert (await world.claim(session)).turn == open_turn.id
