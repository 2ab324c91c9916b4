"""What a worker outside says, in our values. Pure; InvalidRequest names what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final
from uuid import UUID

import msgspec

from sojourn.domain.ask import NewAsk
from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.events import RUNNER_CLASSES, RunnerEvent
from sojourn.domain.ids import AgentId, AskId, SessionId, TurnId
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.pools import pool_name
from sojourn.domain.record import Principal
from sojourn.ports.turns import Claim
from sojourn.service.outside.callers import Caller
from sojourn.web.kit.values import check_free_form
from sojourn.web.native import worker_wire
from sojourn.web.native.inbound import free_form

_BY_TYPE: Final[Mapping[str, type[RunnerEvent]]] = {cls.type: cls for cls in RUNNER_CLASSES}
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    cls.type: frozenset(field.name for field in fields(cls)) for cls in RUNNER_CLASSES
}
_UUID_LENGTH: Final = 36
_MOST_DIGITS: Final = 18
MAX_EVENT_KEYS: Final = 32
MAX_EVENT_BYTES: Final = 4 * 1024 * 1024


def caller(
    principal: Principal, name: str, runners: Sequence[RunnerKind], pool: str, agents: Sequence[UUID] = ()
) -> Caller:
    # The pattern lets one newline through, at the end.
    if name.endswith("\n"):
        raise InvalidRequest("worker", "must not end in a line break")
    return Caller(
        principal=principal,
        name=name,
        runners=tuple(dict.fromkeys(runners)),
        pool=pool_name(pool, "pool"),
        agents=tuple(AgentId(agent) for agent in agents),
    )


def claim_name(claim: Claim) -> str:
    """It holds no secret: only the key that made the claim may use it."""
    return f"{claim.session}.{claim.turn}.{claim.fence}"


def claim_of(principal: Principal, name: str) -> Claim:
    """NotFound for what names no claim."""
    session, _, rest = name.partition(".")
    turn, _, fence = rest.partition(".")
    if len(session) != _UUID_LENGTH or len(turn) != _UUID_LENGTH or len(fence) > _MOST_DIGITS:
        raise NotFound("claim", name[:100])
    try:
        ids = UUID(session), UUID(turn)
    except ValueError:
        raise NotFound("claim", name) from None
    if not (fence.isascii() and fence.isdecimal()):
        raise NotFound("claim", name)
    return Claim(
        org=principal.org,
        session=SessionId(ids[0]),
        turn=TurnId(ids[1]),
        fence=int(fence),
        key=principal.key,
    )


def said(field: str, events: Sequence[worker_wire.RunnerEvent]) -> tuple[RunnerEvent, ...]:
    return tuple(_event(f"{field}.{index}", event) for index, event in enumerate(events))


def _event(place: str, event: worker_wire.RunnerEvent) -> RunnerEvent:
    unknown = event.data.keys() - _FIELDS[event.type]
    if unknown:
        raise InvalidRequest(f"{place}.data.{min(unknown)[:100]}", f"is not known to {event.type}")
    check_free_form(f"{place}.data", event.data, MAX_EVENT_KEYS, MAX_EVENT_BYTES)
    try:
        return msgspec.convert(event.data, _BY_TYPE[event.type])
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"{place}.data", str(error)) from None


def asks(new: Sequence[worker_wire.NewAsk]) -> tuple[NewAsk, ...]:
    if len({ask.id for ask in new}) < len(new):
        raise InvalidRequest("asks", "must not have the same id twice")
    return tuple(
        NewAsk(
            id=AskId(ask.id),
            kind=ask.kind,
            prompt=free_form(f"asks.{index}.prompt", ask.prompt),
            timeout_seconds=ask.timeout_seconds,
            on_expire=ask.on_expire,
        )
        for index, ask in enumerate(new)
    )
