"""A client that sends messages to one session and watches its log."""

import asyncio
from typing import Final

from bench.streams import Stream, event_of, subscribe
from bench.target import Target
from bench.wire import Caller, connect, field, request

ENDS: Final = (b"turn.completed", b"turn.failed", b"turn.cancelled")
TURN_LIMIT_SECONDS: Final = 10.0


class Conversation:
    """Turns of one session, one after another. `events` and `event_bytes` count what the log gained."""

    def __init__(self, target: Target, session: str, caller: Caller) -> None:
        self.session = session
        self.events = 0
        self.event_bytes = 0
        self._target = target
        self._caller = caller
        self._stream: Stream | None = None
        self._end: asyncio.Future[tuple[bytes, int]] | None = None

    async def follow(self, after: int = 0) -> None:
        path = f"{self._target.prefix}/{self.session}/events/stream?after={after}"
        self._stream = await subscribe(self._target.port, path, self._seen)

    def _seen(self, frame: bytes, now: int) -> None:
        if not frame.startswith(b"id: "):
            return
        self.events += 1
        self.event_bytes += len(frame) - frame.find(b"data: ")
        name = event_of(frame)
        if name in ENDS and self._end is not None and not self._end.done():
            self._end.set_result((name, now))

    async def turn(self, text: str) -> int:
        """Nanoseconds from the message's first byte out to the event that closes its turn."""
        self._end = asyncio.get_running_loop().create_future()
        path = f"{self._target.prefix}/{self.session}/inputs"
        async with asyncio.timeout(TURN_LIMIT_SECONDS):
            await self._caller.ask(request("POST", path, {"content": text}))
            name, now = await self._end
        if name != ENDS[0]:
            raise ConnectionError(f"the turn ended with {name.decode()}")
        return now - self._caller.sent_ns

    def close(self) -> None:
        self._caller.close()
        if self._stream is not None:
            self._stream.close()


async def converse(
    target: Target, session: str | None = None, after: int = 0, agent: str = "default"
) -> Conversation:
    """Open a conversation in a new session of an agent, or in a known session from a place in its log."""
    caller = await connect(target.port)
    if session is None:
        session = field(await caller.ask(request("POST", target.prefix, {"agent": agent})), "id")
    conversation = Conversation(target, session, caller)
    await conversation.follow(after)
    return conversation
