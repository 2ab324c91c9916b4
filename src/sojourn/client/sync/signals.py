# Made from src/sojourn/client/signals.py by scripts/twin; change that one.
"""What a worker is told at once, across any number of cuts."""

from collections.abc import Generator
from contextlib import closing
from typing import Final

import httpx2
import msgspec

from sojourn.client.errors import ApiError
from sojourn.client.request import Params
from sojourn.client.retries import Backoff, describe, foreign_answer, is_passing
from sojourn.client.sse import ServerEvent, SseDecoder
from sojourn.client.stream_types import LossListener
from sojourn.client.sync.transport import Transport
from sojourn.client.sync.waits import chunks_of, pause
from sojourn.client.worker_types import Listening, ReadyTurn, Signal, StoppedTurn

_PATH: Final = "/worker/signals"


class SignalStream:
    """What `Client.signals` iterates over. Each connection begins with Listening: what came before was missed."""

    def __init__(self, transport: Transport, params: Params, on_loss: LossListener) -> None:
        self._transport = transport
        self._params = params
        self._on_loss = on_loss
        self._backoff = Backoff()

    def items(self) -> Generator[Signal, None]:
        while True:
            advice_seconds: float | None = None
            try:
                with closing(self._connection()) as connection:
                    yield from connection
                cause = "the server ended the stream"
            except httpx2.TransportError as error:
                cause = describe(error)
            except ApiError as error:
                if not is_passing(error):
                    raise
                cause, advice_seconds = str(error), error.retry_after_seconds
            except msgspec.DecodeError as error:
                raise foreign_answer(self._transport.base_url, error) from error
            self._on_loss(cause)
            pause(self._backoff.next_seconds(advice_seconds))

    def _connection(self) -> Generator[Signal, None]:
        with self._transport.open_stream(_PATH, self._params) as response:
            decoder = SseDecoder()
            with closing(chunks_of(response)) as chunks:
                for chunk in chunks:
                    for message in decoder.feed(chunk):
                        item = self._take(message)
                        if item is not None:
                            yield item

    def _take(self, message: ServerEvent) -> Signal | None:
        match message.name:
            case "listening":
                self._backoff.reset()
                return Listening()
            case "turn_ready":
                return msgspec.json.decode(message.data, type=ReadyTurn)
            case "turn_stopped":
                return msgspec.json.decode(message.data, type=StoppedTurn)
            case _:
                # The end follows, or a newer server has more to say.
                return None
