"""A session's log as a stream that outlives its connections."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic
from typing import Final
from uuid import UUID

import httpx2
import msgspec

from sojourn.client.errors import ApiError, ServerUnreachable
from sojourn.client.retries import Backoff, describe, foreign_answer, is_passing
from sojourn.client.sse import ServerEvent, SseDecoder
from sojourn.client.stream_types import CaughtUp, Event, Gap, LossListener, Preview, StreamItem, no_listener
from sojourn.client.transport import Transport
from sojourn.client.waits import chunks_of, pause

# A connection that lived this long was a good one: the next attempt after its loss comes at once.
_GOOD_SECONDS: Final = 5.0


class EventStream:
    """What `Client.stream` iterates over. Entries come in the order of `seq`, each once, across any number of cuts."""

    def __init__(
        self,
        transport: Transport,
        session: UUID,
        after: int,
        give_up_after_seconds: float | None = None,
        on_loss: LossListener = no_listener,
    ) -> None:
        self._transport = transport
        self._path = f"/sessions/{session}/events/stream"
        self._seq = after
        self._give_up_after_seconds = give_up_after_seconds
        self._on_loss = on_loss
        self._backoff = Backoff()

    async def items(self) -> AsyncGenerator[StreamItem, None]:
        heard_at = monotonic()
        while True:
            opened_at = monotonic()
            advice_seconds: float | None = None
            try:
                async with aclosing(self._connection()) as connection:
                    async for item in connection:
                        heard_at = monotonic()
                        yield item
                cause = "the server ended the stream"
            except httpx2.TransportError as error:
                cause = describe(error)
            except ApiError as error:
                if not is_passing(error):
                    raise
                cause, advice_seconds = str(error), error.retry_after_seconds
            except msgspec.DecodeError as error:
                raise foreign_answer(self._transport.base_url, error) from error
            # An idle stream says nothing but heartbeats: while it was open, the server was heard.
            if monotonic() - opened_at > _GOOD_SECONDS:
                heard_at = monotonic()
                self._backoff.reset()
            delay = self._backoff.next_seconds(advice_seconds)
            if self._is_too_late(monotonic() + delay - heard_at):
                raise ServerUnreachable(self._transport.base_url, cause)
            self._on_loss(cause)
            await pause(delay)

    def _is_too_late(self, silent_seconds: float) -> bool:
        limit = self._give_up_after_seconds
        return limit is not None and silent_seconds > limit

    async def _connection(self) -> AsyncGenerator[StreamItem, None]:
        """The new items of one connection, from where the last one was cut."""
        params = [("after", str(self._seq))]
        async with self._transport.open_stream(self._path, params) as response:
            decoder = SseDecoder()
            async with aclosing(chunks_of(response)) as chunks:
                async for chunk in chunks:
                    for message in decoder.feed(chunk):
                        item = self._take(message)
                        if item is not None:
                            yield item

    def _take(self, message: ServerEvent) -> StreamItem | None:
        match message.name:
            case "preview":
                return msgspec.json.decode(message.data, type=Preview)
            case "caught_up":
                return msgspec.json.decode(message.data, type=CaughtUp)
            case "gap":
                gap = msgspec.json.decode(message.data, type=Gap)
                self._seq = max(self._seq, gap.first_seq - 1)
                return gap
            case "closing" | "problem":
                # The end follows. After a shutdown or a failure the next attempt finds a server that can go on;
                # after a deletion, a 404.
                return None
            case _:
                return self._take_event(msgspec.json.decode(message.data, type=Event))

    def _take_event(self, event: Event) -> Event | None:
        if event.seq <= self._seq:
            return None
        self._seq = event.seq
        self._backoff.reset()
        return event
