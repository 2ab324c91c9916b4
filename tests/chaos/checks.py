"""What the log, the clients and the outside must agree on once every turn has ended."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.chaos.client import Reader, Witness
from tests.chaos.outside import Effect
from tests.chaos.tools import REPEATABLE
from tests.support.databases import Database, PostgresDatabase, SqliteDatabase
from tests.support.invariants import check_postgres, check_sqlite_file


@dataclass
class Step:
    """One model call or tool call, by what the log says of it. `intents` are the processes that announced it."""

    name: str
    intents: list[int] = field(default_factory=list[int])
    status: str | None = None
    completed_by: int = 0


@dataclass
class Log:
    """The sessions' events as (seq, id, type), and the steps of all turns by the keys that effects have.

    `facts` counts what tells how hard a round was.
    """

    events: dict[str, list[tuple[int, str, str]]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[tuple[str, str], Step] = field(default_factory=dict[tuple[str, str], Step])
    inputs: Counter[str] = field(default_factory=Counter[str])
    decided: dict[str, list[str]] = field(default_factory=lambda: defaultdict[str, list[str]](list))
    facts: Counter[str] = field(default_factory=Counter[str])


async def check(
    database: SqliteDatabase | PostgresDatabase,
    done: Sequence[Effect],
    pids: Sequence[int],
    witness: Witness,
    readers: Sequence[Reader],
) -> tuple[list[str], Counter[str]]:
    """Everything that is wrong, one sentence each, and the log's facts."""
    log = read_log(database)
    log.facts["effects done again"] = len(done) - len({(effect.kind, effect.key) for effect in done})
    problems = [
        *witness.violations,
        *await invariants(database),
        *at_rest(database),
        *not_as_acknowledged(log, witness),
        *not_as_told(log, readers),
        *done_wrongly(log, done, pids),
    ]
    return problems, log.facts


async def invariants(database: SqliteDatabase | PostgresDatabase) -> list[str]:
    if isinstance(database, PostgresDatabase):
        return await check_postgres(database.url)
    return await check_sqlite_file(database.path)


def read_log(database: Database) -> Log:
    rows = database.query("SELECT session, seq, id, type, turn, data FROM events ORDER BY session, seq")
    log, reading = Log(), Reading()
    for session, seq, id, type, turn, text in rows:
        data = json.loads(text)
        log.facts[f"{type} {data['status']}" if type == "tool.completed" else type] += 1
        log.events[str(UUID(bytes=session))].append((seq, str(UUID(bytes=id)), type))
        reading.take(log, type, turn, data)
    return log


class Reading:
    """What must be remembered of a log to name the steps in it."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._last_text: dict[bytes, str] = {}
        self._holder: dict[bytes, int] = {}
        self._tools: dict[tuple[bytes, int, int], Step] = {}

    def take(self, log: Log, type: str, turn: bytes, data: dict[str, Any]) -> None:
        match type:
            case "input.received" | "input.edited":
                log.inputs[data["input"]] += type == "input.received"
                self._texts[data["input"]] = "".join(part["text"] for part in data["content"])
            case "input.delivered":
                self._last_text[turn] = self._texts[data["input"]]
            case "turn.started":
                self._holder[turn] = int(data["worker"].split("/")[1])
            case "model.called" | "model.completed":
                self._take_model(log, type, turn, data)
            case "tool.requested":
                step = self._tools[turn, data["call"], data["index"]] = Step(data["name"])
                key = json.loads(data["arguments"]).get("key")
                if key is not None:
                    log.steps["tool", key] = step
            case "ask.decided":
                log.decided[data["ask"]].append(data["decision"])
            case "tool.started":
                self._tools[turn, data["call"], data["index"]].intents.append(self._holder[turn])
            case "tool.completed":
                step = self._tools[turn, data["call"], data["index"]]
                step.status, step.completed_by = data["status"], self._holder[turn]
            case _:
                pass

    def _take_model(self, log: Log, type: str, turn: bytes, data: dict[str, Any]) -> None:
        step = log.steps.setdefault(("model", f"{data['call']} {self._last_text[turn]}"), Step("model"))
        if type == "model.called":
            step.intents.append(self._holder[turn])
        else:
            step.status, step.completed_by = "done", self._holder[turn]


def at_rest(database: Database) -> Iterator[str]:
    """Everything that was asked for has ended."""
    restless = database.query(
        "SELECT id, activity FROM sessions WHERE activity <> 'idle' OR open_turn IS NOT NULL"
    )
    for session, activity in restless:
        yield f"session {UUID(bytes=session)} is still {activity}"


def not_as_acknowledged(log: Log, witness: Witness) -> Iterator[str]:
    sent = [done.id for done in witness.acknowledged if done.path.endswith("/inputs")]
    for input in sent:
        if log.inputs[input] != 1:
            yield f"input {input} was acknowledged and is in the log {log.inputs[input]} times"
    for done in witness.acknowledged:
        if done.path.endswith("/decide") and log.decided[done.id] != [done.body["decision"]]:
            yield f"ask {done.id} was decided by {done.body}, and is {log.decided[done.id]} in the log"
    for input in log.inputs.keys() - set(sent):
        yield f"input {input} is in the log, and the request that made it was answered with another"


def not_as_told(log: Log, readers: Sequence[Reader]) -> Iterator[str]:
    for reader in readers:
        if reader.told != log.events[reader.session][: len(reader.told)]:
            yield f"a reader of session {reader.session} was told {reader.told}"


def done_wrongly(log: Log, done: Sequence[Effect], pids: Sequence[int]) -> Iterator[str]:
    by_step: dict[tuple[str, str], list[int]] = defaultdict(list)
    for effect in done:
        by_step[effect.kind, effect.key].append(effect.pid)
    for step in by_step.keys() - log.steps.keys():
        yield f"{step} was done and is not in the log"
    for key, step in log.steps.items():
        for problem in _of_step(step, by_step[key], pids):
            yield f"{key}: {problem}"


def _of_step(step: Step, done_by: list[int], pids: Sequence[int]) -> Iterator[str]:
    """No effect without its intent, none after its completion, and none twice that may not be done twice."""
    if not Counter(done_by) <= Counter(step.intents):
        yield f"done by {done_by}, announced by {step.intents}"
    if len(done_by) > 1 and step.name not in REPEATABLE and step.name != "model":
        yield f"a {step.name} was done {len(done_by)} times"
    if step.status == "done" and step.completed_by not in done_by:
        yield f"completed by {step.completed_by} and done by {done_by}"
    if step.status is None:
        return
    later = pids[pids.index(step.completed_by) + 1 :]
    if again := [pid for pid in done_by if pid in later]:
        yield f"completed by {step.completed_by} and done again by {again}"
