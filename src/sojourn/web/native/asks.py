"""Handlers of asks."""

from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.ask import Ask
from sojourn.domain.ids import AskId
from sojourn.service.results import Result
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import ask_wire, inbound, outbound, queries, wire
from sojourn.web.native.route import AnyCall, Call


class AskPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last ask of a page."""

    id: UUID


CURSORS: Final = Cursors("asks", AskPlace)


async def get(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return answer(call, Result(await call.services.asks.get(call.org, call.session, ask_id(call))))


async def page(call: Call[queries.AskList, wire.Nothing]) -> Response:
    query, session = call.query, call.session
    selection = (str(session), query.status)
    after = None if query.cursor is UNSET else AskId(CURSORS.read(query.cursor, call.org, *selection).id)
    is_open = query.status == "open"
    rows = await call.services.asks.list(call.org, session, is_open, after, query.limit + 1)
    asks, last = cut(rows, query.limit)
    cursor = None if last is None else CURSORS.write(AskPlace(last.id), call.org, *selection)
    return json_response(ask_wire.Asks([outbound.ask(session, ask) for ask in asks], cursor))


async def decide(call: Call[queries.NoQuery, ask_wire.AskDecision]) -> Response:
    verdict = inbound.verdict(call.body)
    return answer(
        call,
        await call.services.asks.decide(call.org, call.session, ask_id(call), verdict, call.by, call.repeat),
    )


async def decide_calls(call: Call[queries.NoQuery, ask_wire.CallDecisions]) -> Response:
    verdicts = inbound.verdicts(call.body.decisions)
    result = await call.services.asks.decide_calls(call.org, call.session, verdicts, call.by, call.repeat)
    body = ask_wire.DecidedAsks([outbound.ask(call.session, ask) for ask in result.value])
    return json_response(body, 200, *replayed(result))


def ask_id(call: AnyCall) -> AskId:
    return AskId(call.id("ask"))


def answer(call: AnyCall, result: Result[Ask]) -> Response:
    return json_response(outbound.ask(call.session, result.value), 200, *replayed(result))
