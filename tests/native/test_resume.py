"""Readers that are cut, slow, stalled or restarted upon see every event once and in order."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests.native.asserting import new_input, new_session, value
from tests.native.streaming import Frame, Frames, open_stream
from tests.web.served import BOUND_SECONDS, listening, loopback, open_served

GENERATIONS = 3
INPUTS_A_GENERATION = 25


class Site:
    """Where the server listens, while it does: it is stopped and started again in the course of a test."""

    def __init__(self) -> None:
        self.url = ""
        self.up = asyncio.Event()


class Reader:
    """Follows a session and goes on behind the last event that it has read, however the connection was lost."""

    def __init__(self, site: Site, session: str) -> None:
        self.seqs: list[int] = []
        self.connections = 0
        self._site = site
        self._session = session
        self._done = False

    async def read(self, allowance: Callable[[], int | None]) -> None:
        """`allowance` says how many bytes each connection may carry before it is cut; None is as many as come."""
        while not self._done:
            await self._site.up.wait()
            last_id = str(self.seqs[-1]) if self.seqs else None
            try:
                async with open_stream(self._site.url, self._session, last_id) as frames:
                    self.connections += 1
                    await self._read(frames, allowance())
            except httpx.TransportError:
                # The server stopped while this reader was connecting.
                continue

    async def _read(self, frames: Frames, allowance: int | None) -> None:
        while allowance is None or frames.bytes_read < allowance:
            frame = await frames.next()
            if frame is None:
                return
            self._note(frame)
            if self._done:
                return

    def _note(self, frame: Frame) -> None:
        if frame.id is not None:
            self.seqs.append(int(frame.id))
        self._done = frame.event == "session.ended"


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_readers_cut_at_random_points_and_restarted_upon_see_every_event_once(
    tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    session, site = str(UUID(int=dice.getrandbits(128))), Site()
    steady, cut, shredded = (Reader(site, session) for _ in range(3))
    last = 0
    async with asyncio.timeout(3 * BOUND_SECONDS), asyncio.TaskGroup() as tasks:
        reading = [
            tasks.create_task(steady.read(lambda: None)),
            tasks.create_task(cut.read(lambda: dice.randrange(1, 200_000))),
            # Often cut within the very first frame: such a connection brings nothing and loses nothing.
            tasks.create_task(shredded.read(lambda: dice.randrange(1, 5_000))),
        ]
        for generation in range(GENERATIONS):
            async with open_served(tmp_path, worker_capacity=0) as served, listening(served.app) as url:
                if generation == 0:
                    await new_session(served.client, id=session)
                site.url = url
                site.up.set()
                for _ in range(INPUTS_A_GENERATION):
                    await new_input(served.client, session, "x" * dice.choice([5, 500, 20_000, 50_000]))
                if generation == GENERATIONS - 1:
                    last = await end_session(served.client, session)
                    await asyncio.wait(reading)
                site.up.clear()
    every = list(range(1, last + 1))
    assert steady.seqs == every
    assert cut.seqs == every
    assert shredded.seqs == every
    assert steady.connections >= GENERATIONS
    assert shredded.connections > steady.connections


async def end_session(client: httpx.AsyncClient, session: str) -> int:
    """The seq of the last event, which is `session.ended`."""
    return value(await client.post(f"/sessions/{session}/end"))["last_seq"]


async def test_a_stalled_reader_holds_no_memory_and_misses_nothing(tmp_path: Path) -> None:
    """It stops reading while far more is written than its sockets and the ring of recent items hold."""
    async with open_served(tmp_path, worker_capacity=0) as served, loopback(served.app) as server:
        session = (await new_session(served.client))["id"]
        async with open_stream(server.url, session, receive_buffer_bytes=64 * 1024) as frames:
            await frames.until("caught_up")
            for _ in range(400):
                await new_input(served.client, session, "x" * 30_000)
            last = await end_session(served.client, session)
            assert 0 < server.unsent_bytes() < 200_000
            seen = await frames.until("session.ended")
    assert [int(frame.id) for frame in seen if frame.id is not None] == list(range(2, last + 1))
