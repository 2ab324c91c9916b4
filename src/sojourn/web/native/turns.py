"""Handlers of turns."""

from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.ids import TurnId
from sojourn.domain.turn import Turn
from sojourn.service.results import Result
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import outbound, queries, turn_wire, wire
from sojourn.web.native.route import AnyCall, Call


class TurnPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last turn of a page."""

    id: UUID


CURSORS: Final = Cursors("turns", TurnPlace)


async def get(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    turn = await call.services.turns.get(call.org, call.session, turn_id(call))
    return answer(call, Result(turn))


async def page(call: Call[queries.Page, wire.Nothing]) -> Response:
    query, session = call.query, call.session
    after = None
    if query.cursor is not UNSET:
        after = TurnId(CURSORS.read(query.cursor, call.org, str(session)).id)
    rows = await call.services.turns.list(call.org, session, after, query.limit + 1)
    turns, last = cut(rows, query.limit)
    cursor = None if last is None else CURSORS.write(TurnPlace(last.id), call.org, str(session))
    return json_response(turn_wire.Turns([outbound.turn(session, turn) for turn in turns], cursor))


async def cancel(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    result = await call.services.turns.cancel(call.org, call.session, turn_id(call), call.by, call.repeat)
    return answer(call, result)


async def interrupt(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    result = await call.services.turns.interrupt(call.org, call.session, call.by, call.repeat)
    return json_response(turn_wire.Interrupted(result.value), 200, *replayed(result))


def turn_id(call: AnyCall) -> TurnId:
    return TurnId(call.id("turn"))


def answer(call: AnyCall, result: Result[Turn]) -> Response:
    return json_response(outbound.turn(call.session, result.value), 200, *replayed(result))
