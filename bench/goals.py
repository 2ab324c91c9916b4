"""The budgets that measurements are held against. A verdict is a sentence in a report, never an assertion."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`limit` in `unit`. `comparison` tells what others reached on a machine of this kind."""

    what: str
    unit: str
    limit: float
    sense: Literal["at most", "at least"] = "at most"
    comparison: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A measurement against its goal. `floor` is the same quantity of the floor, where it has one."""

    goal: Goal
    measured: float
    floor: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.measured / self.floor if self.floor else None

    @property
    def is_met(self) -> bool:
        if self.goal.sense == "at most":
            return self.measured <= self.goal.limit
        return self.measured >= self.goal.limit

    @property
    def text(self) -> str:
        if self.is_met:
            return "met"
        return f"missed by {abs(self.measured - self.goal.limit) / self.goal.limit:.0%}"


CPU: Final = "CPU-s/1k"

CREATE_CPU: Final = Goal(
    what="create, durable, 64 connections",
    unit=CPU,
    limit=0.16,
    comparison="agent-swarm 0.262 (no fsync), Agno 2.5, ADK 3.6, LangGraph dev 4.0, Aegra 5.2",
)
CREATE_RATE: Final = Goal(
    what="create, rate at 64 connections",
    unit="/s",
    limit=2 * 3331,
    sense="at least",
    comparison="agent-swarm 3,331 (no fsync)",
)
HEARTBEAT_CPU: Final = Goal(
    what="heartbeat, 64 connections", unit=CPU, limit=0.10, comparison="agent-swarm 0.161"
)
HEARTBEAT_RATE: Final = Goal(
    what="heartbeat, rate at 64 connections",
    unit="/s",
    limit=1.5 * 6129,
    sense="at least",
    comparison="agent-swarm 6,129",
)
SWARM_LIST_CPU: Final = Goal(
    what="swarm list of 1,000 active sessions", unit=CPU, limit=0.8, comparison="agent-swarm 2.1 (454 KB)"
)
SWARM_UNCHANGED_CPU: Final = Goal(
    what="the same list, unchanged (304)", unit=CPU, limit=0.1, comparison="agent-swarm has none"
)
DIALECT_RATIO: Final = Goal(what="the dearest call of a dialect against the native one", unit="x", limit=1.3)
PAGE_GROWTH: Final = Goal(
    what="native first page, 20 of 1,000,000 against 20 of 1,000",
    unit="x",
    limit=1.3,
    comparison="ADK 28.7 → 1,530; Agno 3.3 → 18.4",
)
TURN_P50: Final = Goal(
    what="turn, sim/echo, one at a time, p50",
    unit="ms",
    limit=5.0,
    comparison="Everruns 39, ADK 9, Agno 9, Aegra 35",
)
TURN_RATE: Final = Goal(
    what="turns at 64 at once",
    unit="/s",
    limit=400,
    sense="at least",
    comparison="Everruns 34, ADK 122, Agno 113, Aegra 46",
)
TURN_CPU: Final = Goal(what="turn, 64 at once", unit=CPU, limit=2.0)
TURN_STATEMENTS: Final = Goal(
    what="SQL statements a turn", unit="", limit=18, comparison="Everruns 270 to 284"
)
TURN_COMMITS: Final = Goal(what="commits a turn, one at a time", unit="", limit=3)
INTERRUPT_SEEN: Final = Goal(what="interrupt → the turn's end seen on its stream, p50", unit="ms", limit=100)
INTERRUPT_STOPPED: Final = Goal(what="interrupt → its step has ended, p50", unit="ms", limit=100)
INTERRUPT_ACROSS: Final = Goal(
    what="interrupt of a turn in another process → its step has ended, p50", unit="ms", limit=100
)
WAITING_CPU: Final = Goal(what="10,000 waiting turns, CPU at rest", unit="% of a core", limit=1.0)
WAITING_MEMORY: Final = Goal(
    what="10,000 waiting turns, memory each, of the server that ran them", unit="KB", limit=5.0
)
WAITING_START_MEMORY: Final = Goal(
    what="10,000 waiting turns, memory each, of a server started again", unit="KB", limit=1.0
)
WAITING_START_SECONDS: Final = Goal(what="start to healthy, 10,000 turns wait", unit="s", limit=1.0)
DECIDE_WAITING: Final = Goal(
    what="one of 10,000 waiting turns decided, until it has ended, p50", unit="ms", limit=10.0
)
GROWTH_BYTES: Final = Goal(
    what="turn 500 against turn 1, bytes appended", unit="x", limit=1.1, comparison="Aegra 1.6, ADK 2.2"
)
GROWTH_TIME: Final = Goal(
    what="turn 500 against turn 1, time", unit="x", limit=1.1, comparison="Aegra 1.6, ADK 2.2"
)
COLD_FOLD: Final = Goal(what="cold fold of 500 turns", unit="ms", limit=50)
FANOUT_ONE: Final = Goal(what="commit → subscriber, 1 stream, p50", unit="ms", limit=0.5)
FANOUT_ACROSS: Final = Goal(what="commit → subscriber of another process, p50", unit="ms", limit=5.0)
FANOUT_ONE_SESSION: Final = Goal(
    what="commit → subscriber, 1,000 streams of one session, p99",
    unit="ms",
    limit=100,
    comparison="ADK 1,444 at 200",
)
FANOUT_MANY_SESSIONS: Final = Goal(
    what="commit → subscriber, 1,000 streams of 1,000 sessions, p99",
    unit="ms",
    limit=100,
    comparison="ADK 1,444 at 200",
)
IDLE_MEMORY: Final = Goal(what="idle streams, memory each", unit="KB", limit=50)
IDLE_CPU: Final = Goal(
    what="idle streams, per 1,000",
    unit="% of a core",
    limit=2.0,
    comparison="LangGraph dev 100",
)
START_SECONDS: Final = Goal(what="start to healthy, fresh data", unit="s", limit=1.0, comparison="2.4 to 20")
START_MEMORY: Final = Goal(
    what="memory when idle, before the first model turn",
    unit="MB",
    limit=70,
    comparison="98 to 330; agent-swarm 325",
)
