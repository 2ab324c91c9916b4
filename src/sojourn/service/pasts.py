"""What sessions have in common that begin with a past: forks and imports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sojourn.domain.ask import Ask
from sojourn.domain.commands import Command
from sojourn.domain.draft import State, moved_timers
from sojourn.domain.errors import IdempotencyMismatch
from sojourn.domain.file import File
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.input import Input
from sojourn.domain.policy import NO_POLICY
from sojourn.domain.rebuild import Rebuild
from sojourn.domain.session import Session
from sojourn.domain.turn import Turn
from sojourn.ports import Reads, Tx
from sojourn.service.results import Repeat
from sojourn.service.verbs import Remembered, carry_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A part of the rows that follow from a past."""

    turns: Sequence[Turn] = ()
    inputs: Sequence[Input] = ()
    asks: Sequence[Ask] = ()
    files: Sequence[File] = ()


async def write_rows(tx: Tx, org: OrgId, session: SessionId, rows: Rows) -> None:
    for turn in rows.turns:
        await tx.write_turn(org, session, turn)
    for input in rows.inputs:
        await tx.write_input(org, session, input)
    for ask in rows.asks:
        await tx.write_ask(org, session, ask)
    for file in rows.files:
        await tx.write_file(org, session, file)


async def known_answer(reads: Reads, org: OrgId, repeat: Repeat | None) -> Remembered | None:
    """What a request would be answered that only repeats another: to copy a past for it would be in vain."""
    if repeat is None:
        return None
    recalled = await reads.recall(org, repeat.key, repeat.operation, repeat.idempotency_key)
    if recalled is None:
        return None
    if recalled.request_hash != repeat.request_hash:
        raise IdempotencyMismatch(repeat.idempotency_key)
    return Remembered(dict(recalled.ids), recalled.status == 201, replayed=True)


async def close_past(
    tx: Tx,
    session: Session,
    rebuild: Rebuild,
    command: Callable[[tuple[Input, ...]], Command],
    now: datetime,
) -> None:
    """Say by `command` whose past it was, and end what was open there; it is given the inputs that nobody had read."""
    org, id, turn = session.org, session.id, rebuild.turn
    waiting = tuple(rebuild.waiting.values())
    await write_rows(tx, org, id, Rows(inputs=waiting, asks=tuple(rebuild.asks.values())))
    if turn is not None:
        turn = replace(turn, open_asks=sum(ask.status == "open" for ask in rebuild.asks.values()))
    state = State(
        session=replace(
            session,
            turns=rebuild.turns,
            open_turn=None if turn is None else turn.id,
            queued_inputs=len(waiting),
        ),
        turn=turn,
    )
    decision = await carry_out(tx, state, command(waiting), now)
    if rebuild.is_rewound:
        await tx.mark_rewound(org, id)
    if session.policy is not NO_POLICY:
        await tx.write_timers(org, id, moved_timers(None, State(session=decision.session)))
