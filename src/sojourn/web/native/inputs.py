"""Handlers of inputs."""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta

from sojourn.domain.actor import Actor
from sojourn.domain.ids import InputId
from sojourn.domain.input import Input
from sojourn.service.inputs import NewInput
from sojourn.service.results import Result
from sojourn.web.kit.conditions import etag
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.native import inbound, outbound, queries, turn_wire, wire
from sojourn.web.native.route import AnyCall, Call


class InputPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last input of a page."""

    position: Annotated[int, Meta(ge=0, lt=2**62)]


class QueuePlace(msgspec.Struct, array_like=True, frozen=True):
    """The same of a page of the queue."""

    priority: Annotated[int, Meta(ge=0, le=9)]
    rank: Annotated[int, Meta(ge=0, lt=2**62)]


CURSORS: Final = Cursors("inputs", InputPlace)
QUEUE_CURSORS: Final = Cursors("queue", QueuePlace)


async def send(call: Call[queries.NoQuery, turn_wire.NewInput]) -> Response:
    body = call.body
    new = NewInput(
        content=inbound.content(body.content),
        delivery=body.delivery,
        expected_seq=None if body.expected_seq is UNSET else body.expected_seq,
        payload=None if body.payload is None else inbound.payload(body.payload),
        model=body.model,
    )
    by = Actor(body.source, call.principal.key)
    result = await call.services.inputs.send(call.org, call.session, new, by, call.repeat)
    return answer(call, result, 202)


async def get(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return answer(call, Result(await call.services.inputs.get(call.org, call.session, input_id(call))))


async def page(call: Call[queries.InputList, wire.Nothing]) -> Response:
    query, session = call.query, call.session
    status = None if query.status is UNSET else query.status
    selection = (str(session), status)
    after = 0 if query.cursor is UNSET else CURSORS.read(query.cursor, call.org, *selection).position
    rows = await call.services.inputs.list(call.org, session, status, after, query.limit + 1)
    inputs, last = cut(rows, query.limit)
    cursor = None if last is None else CURSORS.write(InputPlace(last.position), call.org, *selection)
    return json_response(turn_wire.Inputs([outbound.input(session, input) for input in inputs], cursor))


async def queue(call: Call[queries.Page, wire.Nothing]) -> Response:
    query, session = call.query, call.session
    after = None
    if query.cursor is not UNSET:
        place = QUEUE_CURSORS.read(query.cursor, call.org, str(session))
        after = (place.priority, place.rank)
    rows = await call.services.inputs.queue(call.org, session, after, query.limit + 1)
    inputs, last = cut(rows, query.limit)
    cursor = None
    if last is not None:
        cursor = QUEUE_CURSORS.write(QueuePlace(*last.place), call.org, str(session))
    return json_response(turn_wire.Inputs([outbound.input(session, input) for input in inputs], cursor))


async def move(call: Call[queries.NoQuery, turn_wire.InputMove]) -> Response:
    before = None if call.body.before is None else InputId(call.body.before)
    result = await call.services.inputs.move(
        call.org,
        call.session,
        input_id(call),
        before,
        call.by,
        expected_revision=call.expected_revision,
        repeat=call.repeat,
    )
    return answer(call, result)


async def edit(call: Call[queries.NoQuery, turn_wire.InputChange]) -> Response:
    content = inbound.content(call.body.content)
    edited = await call.services.inputs.edit(
        call.org, call.session, input_id(call), content, call.by, call.expected_revision
    )
    return answer(call, Result(edited))


async def withdraw(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    await call.services.inputs.withdraw(
        call.org, call.session, input_id(call), call.by, call.expected_revision
    )
    return NO_CONTENT


def input_id(call: AnyCall) -> InputId:
    return InputId(call.id("input"))


def answer(call: AnyCall, result: Result[Input], status: int = 200) -> Response:
    body = outbound.input(call.session, result.value)
    return json_response(body, status, etag(body.revision), *replayed(result))
