"""Sends to a session, whoever's door it came through, and tells what became of it."""

from collections.abc import Sequence
from typing import Final

from sojourn.domain.errors import NotFound
from sojourn.domain.events import InputReceived, TurnQueued, TurnResumed
from sojourn.domain.ids import SessionId
from sojourn.domain.input import Input
from sojourn.domain.log import StoredEvent
from sojourn.service.core import Services
from sojourn.service.inputs import NewInput
from sojourn.service.results import Repeat, Result
from sojourn.web.dialects.everruns.log.messages import of_input
from sojourn.web.dialects.everruns.server import Caller
from sojourn.web.dialects.everruns.wire.event import Data
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.response import Response, json_response

# More than a transaction that receives an input says of it.
_LOOKED_AT: Final = 64


class Sender:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def send(self, caller: Caller, session: SessionId, new: NewInput, again: Repeat | None) -> Response:
        result = await self._services.inputs.send(caller.org, session, new, caller.by, again)
        message = await self._sent(caller, session, result)
        return json_response(message, 201, *replayed(result))

    async def _sent(self, caller: Caller, session: SessionId, result: Result[Input]) -> Data:
        """The message as the log tells it, with what became of it."""
        feed, input = self._services.feed, result.value
        rows = await feed.page(caller.org, session, input.position - 1, _LOOKED_AT)
        received = (await feed.read(rows[0])).event if rows else None
        if not isinstance(received, InputReceived):
            # It is sent again, and the log has been cut since.
            raise NotFound("message", input.id)
        message = of_input(rows[0], received)
        message["delivery"] = "duplicate" if result.replayed else _delivery(input, rows)
        return message


def _delivery(input: Input, rows: Sequence[StoredEvent]) -> str:
    """What the rows of the log from the input's own on say of it, as far as they belong to its transaction."""
    for row in rows[1:]:
        if row.tx != rows[0].tx or row.type == InputReceived.type:
            break
        if row.type == TurnQueued.type and row.turn == input.turn:
            return "started"
        if row.type == TurnResumed.type:
            return "resumed"
    return "steered"
