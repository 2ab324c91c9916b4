"""A real server that kills itself where it is told: `python -m tests.chaos.server --data-dir …`.

What it is made of is what `sojourn serve` is made of, except that its store, hub, tools and models count how often
they come to a point.
"""

import argparse
import asyncio
import json
import logging
import os
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from sojourn.cli.server import run_server
from sojourn.config import Settings
from sojourn.domain.agent import AgentSpec, ClientTool
from sojourn.domain.ids import DEFAULT_ORG
from sojourn.domain.log import StoredEvent
from sojourn.ports import Reads, Store, Tx
from sojourn.service.claims import LEASE_TTL_SECONDS
from sojourn.service.hub import Hub
from sojourn.store.tx import StoreTx
from sojourn.wiring import DATABASE_FILE, Parts, SteadyClock, assemble, open_store, open_wakeups
from tests.chaos.model import PARALLEL, WatchedModels
from tests.chaos.outside import Outside
from tests.chaos.plan import DEFECT_VARIABLE, Killer
from tests.chaos.tools import CLIENT_TOOL, GUARDED, TOOLSET, Lines, chaos_tools

T = TypeVar("T")

KEY: Final = "chaos-key"
AGENTS: Final = {"scripted": "sim/script", "parallel": PARALLEL}
OUTSIDE_FILE: Final = "outside.jsonl"
# How long a defective server lives on after it has said what is not true.
AFTERGLOW_SECONDS: Final = 0.2


class KillingHub(Hub):
    def __init__(self, killer: Killer) -> None:
        super().__init__()
        self._killer = killer

    def publish(self, events: Sequence[StoredEvent]) -> None:
        self._killer.hit("before_publish")
        super().publish(events)


class KillingStore:
    def __init__(self, store: Store, killer: Killer) -> None:
        self._store = store
        self._killer = killer

    @property
    def reads(self) -> Reads:
        return self._store.reads

    @property
    def applied(self) -> Sequence[str]:
        return self._store.applied

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        async def watched(tx: Tx) -> T:
            result = await verb(tx)
            self._killer.hit("before_commit")
            return result

        result = await self._store.write(watched)
        self._killer.hit("before_answer")
        return result

    async def time(self) -> datetime:
        return await self._store.time()

    def on_errands(self, told: Callable[[], None]) -> None:
        self._store.on_errands(told)

    async def close(self) -> None:
        await self._store.close()


class _RolledBack(Exception):
    """Ends a transaction whose result was told already."""


class LyingStore(KillingStore):
    """Answers, or publishes, what it does not store, and dies a little later: the crash of one that does so early."""

    def __init__(self, store: Store, killer: Killer, hub: Hub | None) -> None:
        super().__init__(store, killer)
        self._hub = hub

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        results: list[T] = []

        async def lying(tx: Tx) -> T:
            result = await verb(tx)
            # A store may run a verb that failed once more.
            if results:
                raise _RolledBack
            if self._killer.is_due("before_commit"):
                results.append(result)
                assert isinstance(tx, StoreTx)
                self._tell(tx.appended)
                raise _RolledBack
            return result

        try:
            return await self._store.write(lying)
        except _RolledBack:
            asyncio.get_running_loop().call_later(AFTERGLOW_SECONDS, self._killer.kill)
            if self._hub is None:
                return results[0]
            return await asyncio.Future()

    def _tell(self, events: Sequence[StoredEvent]) -> None:
        if self._hub is not None:
            self._hub.publish(events)


def forget_keys(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM idempotency")


async def serve(settings: Settings, lease_ttl_seconds: float, listener: socket.socket) -> None:
    defect, killer = os.environ.get(DEFECT_VARIABLE, ""), Killer.of_environment()
    data_dir = settings.data_dir
    if defect == "forgets_keys" and (data_dir / DATABASE_FILE).exists():
        forget_keys(data_dir / DATABASE_FILE)
    clock, hub = SteadyClock(), KillingHub(killer)
    store = await open_store(settings, clock, hub)
    outside = Outside(data_dir / OUTSIDE_FILE)
    parts = Parts(
        store=_wrapped(store, killer, hub, defect),
        hub=hub,
        clock=clock,
        clients=lambda _source: WatchedModels(outside, killer).client_for,
        toolsets=chaos_tools(Lines(outside, killer), reruns=defect == "reruns"),
        wakeups=open_wakeups(settings),
        lease_ttl_seconds=lease_ttl_seconds,
    )
    async with assemble(settings, parts) as running:
        agents = running.services.agents
        for name, model in AGENTS.items():
            if await store.reads.find_agent(DEFAULT_ORG, name) is None:
                await agents.create(DEFAULT_ORG, _agent(name, model))
        await run_server(running.services, listener, lambda: announce(listener, killer))
    await store.close()


def _agent(name: str, model: str) -> AgentSpec:
    look = ClientTool(name=CLIENT_TOOL, description="Looks.", parameters={"type": "object"})
    return AgentSpec(
        name=name,
        model=model,
        tools=(TOOLSET, "files"),
        client_tools=(look,),
        tool_policy={GUARDED: "ask", "list_files": "deny"},
    )


def _wrapped(store: Store, killer: Killer, hub: Hub, defect: str) -> Store:
    match defect:
        case "early_answer":
            return LyingStore(store, killer, None)
        case "early_publish":
            return LyingStore(store, killer, hub)
        case _:
            return KillingStore(store, killer)


def announce(listener: socket.socket, killer: Killer) -> None:
    killer.listens = True
    print(json.dumps({"port": listener.getsockname()[1], "pid": os.getpid()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--database-url")
    parser.add_argument("--lease-ttl-seconds", type=float, default=LEASE_TTL_SECONDS)
    parser.add_argument("--worker-capacity", type=int, default=100)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    settings = Settings(
        data_dir=options.data_dir,
        database_url=options.database_url,
        bootstrap_key=KEY,
        worker_capacity=options.worker_capacity,
    )
    with socket.create_server(("127.0.0.1", options.port)) as listener:
        asyncio.run(serve(settings, options.lease_ttl_seconds, listener))


if __name__ == "__main__":
    main()
