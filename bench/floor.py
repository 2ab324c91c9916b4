"""The least that any such server must do: bare Starlette and SQLite, on the same HTTP parts.

POST and PATCH store one row of the body durably (WAL, synchronous=FULL). Writers share an fsync with whoever
waits at the same moment (group commit), unless `--batch 1` gives every request its own.
"""

import argparse
import asyncio
import itertools
import queue
import sqlite3
import threading
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

JSON: Final = "application/json"
Write = tuple[str, tuple[object, ...], asyncio.Future[None]]


class Rows:
    """One table, one writing thread, one reading connection."""

    def __init__(self, path: Path, batch: int) -> None:
        self._path = path
        self._batch = batch
        self._queue: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, body BLOB)")
        self._reader = self._open()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA synchronous = FULL")
        return db

    def get(self, id: int) -> bytes | None:
        row = self._reader.execute("SELECT body FROM rows WHERE id = ?", (id,)).fetchone()
        return None if row is None else row[0]

    async def put(self, id: int, body: bytes) -> None:
        done: asyncio.Future[None] = self._loop.create_future()
        sql = "INSERT INTO rows VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body"
        self._queue.put((sql, (id, body), done))
        await done

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        db = self._open()
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < self._batch and not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    self._queue.put(None)
                    break
                batch.append(more)
            db.execute("BEGIN IMMEDIATE")
            for sql, values, _ in batch:
                db.execute(sql, values)
            db.execute("COMMIT")
            self._loop.call_soon_threadsafe(_resolve, batch)


def _resolve(batch: list[Write]) -> None:
    for _, _, done in batch:
        if not done.done():
            done.set_result(None)


class Floor:
    """Routes over the rows, and topics that only repeat what was committed to them."""

    def __init__(self, path: Path, batch: int) -> None:
        self._path = path
        self._batch = batch
        self._topics: defaultdict[int, set[asyncio.Queue[bytes]]] = defaultdict(set)
        self._ids = itertools.count(1)
        self._pages: dict[int, bytes] = {}

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        self._rows = Rows(self._path, self._batch)
        yield
        self._rows.close()

    async def create(self, request: Request) -> Response:
        id = next(self._ids)
        await self._rows.put(id, await request.body())
        return Response(b'{"id":"%d"}' % id, 201, media_type=JSON)

    async def replace(self, request: Request) -> Response:
        id = int(request.path_params["id"])
        at = datetime.now(UTC).isoformat()
        body = await request.body()
        await self._rows.put(id, body)
        for subscriber in self._topics[id]:
            subscriber.put_nowait(b'{"at":"%s","data":%s}' % (at.encode(), body))
        return Response(b'{"id":"%d"}' % id, media_type=JSON)

    async def get(self, request: Request) -> Response:
        body = self._rows.get(int(request.path_params["id"]))
        return Response(b"" if body is None else body, 404 if body is None else 200, media_type=JSON)

    async def page(self, request: Request) -> Response:
        size = int(request.path_params["size"])
        return Response(self._pages.setdefault(size, b" " * size), media_type=JSON)

    async def stream(self, request: Request) -> Response:
        topic = self._topics[int(request.path_params["id"])]
        return StreamingResponse(self._frames(topic), media_type="text/event-stream")

    async def _frames(self, topic: set[asyncio.Queue[bytes]]) -> AsyncGenerator[bytes]:
        subscriber: asyncio.Queue[bytes] = asyncio.Queue()
        topic.add(subscriber)
        try:
            yield b'event: caught_up\ndata: {"seq":0}\n\n'
            while True:
                yield b"event: session.updated\ndata: %s\n\n" % await subscriber.get()
        finally:
            topic.discard(subscriber)

    async def health(self, request: Request) -> Response:
        return Response(b'{"status":"ok"}', media_type=JSON)


def application(path: Path, batch: int) -> Starlette:
    floor = Floor(path, batch)
    routes = [
        Route("/health", floor.health),
        Route("/rows", floor.create, methods=["POST"]),
        Route("/rows/{id:int}", floor.get, methods=["GET"]),
        Route("/rows/{id:int}", floor.replace, methods=["PUT", "PATCH"]),
        Route("/rows/{id:int}/stream", floor.stream),
        Route("/page/{size:int}", floor.page),
    ]
    return Starlette(routes=routes, lifespan=floor.lifespan)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--batch", type=int, default=1000)
    args = parser.parse_args()
    app = application(args.data / "floor.sqlite3", args.batch)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=args.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        backlog=4096,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
