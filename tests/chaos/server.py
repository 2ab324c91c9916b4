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
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from sojourn.cli.server import run_server
from sojourn.config import Settings
from sojourn.domain.agent import AgentSpec, ClientTool
from sojourn.domain.errors import AlreadyExists
from sojourn.domain.ids import DEFAULT_ORG
from sojourn.domain.policy import Policy
from sojourn.domain.session import Session
from sojourn.domain.tool_policy import DetailedRule
from sojourn.domain.turn import Turn
from sojourn.ports.turns import Claim
from sojourn.runners import program
from sojourn.runners.acp.runner import AcpRunner
from sojourn.service import turn_writes, upkeep
from sojourn.service.claims import LEASE_TTL_SECONDS
from sojourn.service.turn_writes import TurnWrites
from sojourn.service.vault import EnvironmentSecrets
from sojourn.wiring import DATABASE_FILE, Parts, SteadyClock, assemble, open_store, open_wakeups
from tests.chaos.archive import keep_purged
from tests.chaos.model import PARALLEL, WatchedModels
from tests.chaos.outside import Outside
from tests.chaos.plan import DEFECT_VARIABLE, Killer, defect_named
from tests.chaos.stores import KillingHub, wrapped
from tests.chaos.tools import CLIENT_TOOL, GUARDED, TOOLSET, Lines, chaos_tools

KEY: Final = "chaos-key"
OUTSIDE_FILE: Final = "outside.jsonl"
PID_VARIABLE: Final = "CHAOS_PID"
PROGRAM: Final = Path(__file__).with_name("program.py")
# What names it in the module that starts programs.
GUARD: Final = "_GUARD"
PACE: Final = {"TICK_SECONDS": 0.25, "PURGE_EVERY_TICKS": 1}
# What tells whether a claim is still good, in the module of what workers write.
FENCE: Final = "stands"
LOOSE_GUARD: Final = Path(__file__).with_name("loose_guard.py")


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
    await keep_purged(data_dir / DATABASE_FILE, settings.database_url)
    _hurry()
    if defect == "unfenced":
        _let_in()
    outside = Outside(data_dir / OUTSIDE_FILE)
    programs = programs_of(data_dir, loose=defect == "unleashed")
    parts = Parts(
        store=wrapped(store, killer, hub, defect_named(defect)),
        hub=hub,
        clock=clock,
        clients=lambda _source: WatchedModels(outside, killer).client_for,
        toolsets=chaos_tools(Lines(outside, killer), reruns=defect == "reruns"),
        runners={"acp": programs},
        wakeups=None if defect == "unfenced" else open_wakeups(settings),
        lease_ttl_seconds=lease_ttl_seconds,
    )
    async with assemble(settings, parts) as running:
        agents = running.services.agents
        for agent in _agents(data_dir):
            if await store.reads.find_agent(DEFAULT_ORG, agent.name) is None:
                # Another server may be making it too.
                with suppress(AlreadyExists):
                    await agents.create(DEFAULT_ORG, agent)
        await run_server(running.services, listener, lambda: announce(listener, killer))
    await programs.close()
    await store.close()


def _let_in() -> None:
    def stands(claim: Claim, _session: Session, turn: Turn | None) -> bool:
        return turn is not None and turn.id == claim.turn

    async def renew(_writes: TurnWrites, _turns: Sequence[Claim], _worker: str) -> Sequence[Claim]:
        return ()

    setattr(turn_writes, FENCE, stands)
    setattr(TurnWrites, renew.__name__, renew)


def _hurry() -> None:
    """Deadlines and purges come many times within a round."""
    for name, value in PACE.items():
        setattr(upkeep, name, value)


def programs_of(data_dir: Path, *, loose: bool = False) -> AcpRunner:
    if loose:
        setattr(program, GUARD, LOOSE_GUARD)
    environment = {**os.environ, PID_VARIABLE: str(os.getpid())}
    return AcpRunner(data_dir / "programs", environment, EnvironmentSecrets(environment), allow_commands=True)


def _agents(data_dir: Path) -> Sequence[AgentSpec]:
    look = ClientTool(name=CLIENT_TOOL, description="Looks.", parameters={"type": "object"})
    scripted = AgentSpec(
        name="scripted",
        model="sim/script",
        tools=(TOOLSET, "files", "ask_user"),
        client_tools=(look,),
        tool_policy={GUARDED: "ask", "list_files": "deny"},
    )
    # Nobody decides in their sessions but time.
    hasty = replace(
        scripted, ask_timeout_seconds=0.5, tool_policy={GUARDED: DetailedRule(rule="ask", on_expire="allow")}
    )
    command = (sys.executable, "-I", "-S", str(PROGRAM), str(data_dir / OUTSIDE_FILE))
    return (
        scripted,
        replace(scripted, name="parallel", model=PARALLEL),
        replace(hasty, name="child", policy=Policy(retain_log_seconds=0.5, retain_seconds=2.0)),
        replace(
            hasty,
            name="family",
            model=PARALLEL,
            tools=(*scripted.tools, "sessions"),
            ask_timeout_seconds=4.0,
        ),
        AgentSpec(
            name="program",
            runner="acp",
            # Nobody decides in its forks.
            ask_timeout_seconds=4.0,
            on_ask_expire="allow",
            runner_config={"command": list(command), "env": {PID_VARIABLE: f"env:{PID_VARIABLE}"}},
        ),
    )


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
        allow_commands=True,
    )
    with socket.create_server(("127.0.0.1", options.port)) as listener:
        asyncio.run(serve(settings, options.lease_ttl_seconds, listener))


if __name__ == "__main__":
    main()
