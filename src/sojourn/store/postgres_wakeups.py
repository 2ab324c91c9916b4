"""NOTIFY and LISTEN: how the processes of one Postgres wake each other, on a connection beside the pool.

Hints are sent after their commits, not within: a NOTIFY holds a lock of the whole database until its transaction's
commit is on disk, so that commits come one after the other (docs/adr/0011 has the figures). A process that dies
between a commit and its notification leaves it untold; the checks that run anyway (heads, polls, renewals) find it.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import uuid4

import asyncpg
import msgspec

from sojourn.domain.feed import Preview
from sojourn.domain.ids import OrgId
from sojourn.ports.wakeups import Hint, Listener
from sojourn.store.hints import Notice, WaitingHints, WaitingPreviews, heard, read_notice, write_notice
from sojourn.telemetry import counters

log = logging.getLogger(__name__)

CHANNEL: Final = "sojourn"
APPLICATION_NAME: Final = "sojourn wakeups"
# At most 20 notifications of previews a second.
PREVIEW_SECONDS: Final = 0.05
# A connection that is silent for so long is asked whether it still stands.
PING_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 10.0
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
LAST_WORD_SECONDS: Final = 1.0

# What becomes of a call on a connection that is gone, or going.
_LOST: Final = (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
_NOTIFY: Final = "SELECT pg_notify($1, $2)"


class PostgresWakeups:
    """What is told while the connection is lost is kept as hints, and sent once it stands again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._origin = uuid4().hex[:12]
        self._hints = WaitingHints(self._origin)
        self._previews = WaitingPreviews(self._origin)
        self._wake = asyncio.Event()

    def tell(self, hint: Hint) -> None:
        # Before the hint is sent, so that no preview follows the end of its message.
        if hint.ended or hint.ends_message or hint.is_deleted:
            self._previews.drop(hint.org, hint.session)
        self._hints.add(hint)
        self._wake.set()

    def preview(self, org: OrgId, preview: Preview) -> None:
        if not self._previews:
            # The others of the same moment come with it.
            self._wake.set()
        self._previews.add(org, preview)

    async def run(self, listener: Listener) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._connected(listener) as connection:
                    pause_seconds = FIRST_PAUSE_SECONDS
                    await self._speak(connection)
            except _LOST as error:
                log.warning("the other processes cannot be reached; trying again: %s", error)
                # What the others miss of the messages being written, they miss.
                self._previews.clear()
            except Exception:
                log.exception("telling the other processes failed; trying again")
                self._hints.overflow()
            # Spread out, as every process of a database that went away comes back with it.
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.0))
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)

    @asynccontextmanager
    async def _connected(self, listener: Listener) -> AsyncGenerator[Any]:
        connection: Any = await asyncpg.connect(
            self._url,
            timeout=ANSWER_SECONDS,
            command_timeout=ANSWER_SECONDS,
            server_settings={"application_name": APPLICATION_NAME},
        )

        def receive(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            self._receive(listener, str(payload))

        try:
            connection.add_termination_listener(self._lose)
            await connection.add_listener(CHANNEL, receive)
            # What was committed before the LISTEN took effect is found by looking, and what is committed from here
            # on is notified: nothing falls between the two.
            listener.look_around()
            await self._notify(connection, write_notice(Notice(self._origin, joined=True)))
            yield connection
        finally:
            with suppress(*_LOST):
                await connection.close(timeout=1.0)

    def _lose(self, _connection: object) -> None:
        self._wake.set()

    def _receive(self, listener: Listener, payload: str) -> None:
        try:
            notice = read_notice(payload)
        except msgspec.DecodeError:
            # Of a newer release, or of anybody who can reach the database: something happened.
            log.warning("a notification cannot be read")
            listener.look_around()
            return
        if notice.origin == self._origin:
            return
        hints, previews = heard(notice)
        listener.hear(hints)
        for org, preview in previews:
            listener.hear_preview(org, preview)
        if notice.everything:
            listener.look_around()
        if notice.joined:
            listener.welcome()

    async def _speak(self, connection: Any) -> None:
        """Send what waits, until the connection is lost. What comes while one notification is sent shares the next."""
        loop = asyncio.get_running_loop()
        previews_at = loop.time()
        try:
            while True:
                is_silent = await self._is_silent_until(previews_at)
                if connection.is_closed():
                    raise ConnectionError("the connection of the wake-ups is lost")
                if self._hints:
                    await self._tell_hints(connection)
                if self._previews and loop.time() >= previews_at:
                    previews_at = loop.time() + PREVIEW_SECONDS
                    await self._notify(connection, self._previews.take())
                if is_silent:
                    await connection.execute("SELECT 1")
        except asyncio.CancelledError:
            # A worker that stops gives its turns back, and others wait for them.
            if self._hints:
                with suppress(*_LOST):
                    async with asyncio.timeout(LAST_WORD_SECONDS):
                        await self._tell_hints(connection)
            raise

    async def _is_silent_until(self, previews_at: float) -> bool:
        """Return once hints wait, or previews are due; True if nothing came for long."""
        silent_at = asyncio.get_running_loop().time() + PING_SECONDS
        try:
            async with asyncio.timeout_at(previews_at if self._previews else silent_at):
                await self._wake.wait()
        except TimeoutError:
            return not self._previews
        self._wake.clear()
        return False

    async def _tell_hints(self, connection: Any) -> None:
        try:
            await self._notify(connection, self._hints.take())
        except BaseException:
            # Perhaps it was sent, perhaps not.
            self._hints.overflow()
            raise

    async def _notify(self, connection: Any, payload: str) -> None:
        counters.notifications += 1
        await connection.execute(_NOTIFY, CHANNEL, payload)
