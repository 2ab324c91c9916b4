"""What the logs of all sessions say of the steps, inputs and asks of a round."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from tests.support.databases import Database
from tests.support.snapshot import PURGED_TABLE

# What an agent's program does is its own call, whatever its title.
PROGRAM_STEP: Final = "program"
NO_TURN: Final = b""
PROGRAMS: Final = "SELECT id FROM agents WHERE name = 'program'"
COLUMNS: Final = "session, seq, id, type, turn, data"
EVENTS: Final = f"""
SELECT {COLUMNS} FROM events UNION ALL SELECT {COLUMNS} FROM {PURGED_TABLE} ORDER BY session, seq
"""


@dataclass
class Step:
    """One model call or tool call, by what the log says of it.

    `intents` are the processes that announced it, `again` those of them that did so when it was done.
    """

    name: str
    intents: list[int] = field(default_factory=list[int])
    status: str | None = None
    completed_by: int = 0
    again: list[int] = field(default_factory=list[int])

    def announce(self, by: int) -> None:
        self.intents.append(by)
        if self.status == "done":
            self.again.append(by)


@dataclass
class Log:
    """The sessions' events as (seq, id, type), and the steps of all turns by the keys that effects have.

    `received` are the inputs of each session, `own` those that agents have sent, `delivered` the texts that turns have
    read, `decided` the decisions and answers of asks, `children` the sessions that asks wait for. `facts` counts what
    tells how hard a round was.
    """

    events: dict[str, list[tuple[int, str, str]]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[tuple[str, str], Step] = field(default_factory=dict[tuple[str, str], Step])
    received: dict[str, list[str]] = field(default_factory=lambda: defaultdict[str, list[str]](list))
    inputs: Counter[str] = field(default_factory=Counter[str])
    own: set[str] = field(default_factory=set[str])
    withdrawn: Counter[str] = field(default_factory=Counter[str])
    delivered: dict[str, list[str]] = field(default_factory=lambda: defaultdict[str, list[str]](list))
    decided: dict[str, list[tuple[str, Any]]] = field(
        default_factory=lambda: defaultdict[str, list[tuple[str, Any]]](list)
    )
    children: dict[str, str] = field(default_factory=dict[str, str])
    facts: Counter[str] = field(default_factory=Counter[str])


class Reading:
    """What must be remembered of a log to name the steps in it."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._last_text: dict[bytes, str] = {}
        self._holder: dict[bytes, int] = {}
        self._tools: dict[tuple[bytes, int, int], Step] = {}
        # The tool calls that asks are about.
        self._asked: dict[str, tuple[bytes, int, int]] = {}

    def take(self, log: Log, type: str, turn: bytes, data: dict[str, Any], *, is_program: bool) -> None:
        match type:
            case "input.received" | "input.edited" | "input.withdrawn" | "input.delivered":
                self._take_input(log, type, turn, data)
            case "turn.started":
                self._holder[turn] = int(data["worker"].split("/")[1])
            case "model.called" | "model.completed" if not is_program:
                self._take_model(log, type, turn, data)
            case "tool.requested" | "tool.started" | "tool.completed":
                self._take_tool(log, type, turn, data, is_program)
            case "ask.opened" | "ask.decided":
                self._take_ask(log, type, turn, data)
            case _:
                pass

    def _take_input(self, log: Log, type: str, turn: bytes, data: dict[str, Any]) -> None:
        input = data["input"]
        match type:
            case "input.withdrawn":
                log.withdrawn[input] += 1
            case "input.delivered":
                self._last_text[turn] = self._texts.get(input, "")
                log.delivered[input].append(self._last_text[turn])
            case _:
                log.inputs[input] += type == "input.received"
                self._texts[input] = "".join(part["text"] for part in data["content"])
                if data["by"]["kind"] == "agent":
                    log.own.add(input)

    def _take_model(self, log: Log, type: str, turn: bytes, data: dict[str, Any]) -> None:
        step = log.steps.setdefault(("model", f"{data['call']} {self._last_text[turn]}"), Step("model"))
        if type == "model.called":
            step.announce(self._holder[turn])
        else:
            step.status, step.completed_by = "done", self._holder[turn]

    def _take_tool(self, log: Log, type: str, turn: bytes, data: dict[str, Any], is_program: bool) -> None:
        place = turn, data["call"], data["index"]
        match type:
            case "tool.requested":
                step = self._tools[place] = Step(PROGRAM_STEP if is_program else data["name"])
                key = json.loads(data["arguments"]).get("key")
                if key is not None and is_program:
                    # A program that does not find its trace outside asks for the same again.
                    self._tools[place] = log.steps.setdefault(("tool", key), step)
                elif key is not None:
                    log.steps["tool", key] = step
            case "tool.started":
                self._tools[place].announce(self._holder[turn])
            case _:
                step = self._tools[place]
                step.status, step.completed_by = data["status"], self._holder[turn]

    def _take_ask(self, log: Log, type: str, turn: bytes, data: dict[str, Any]) -> None:
        ask = data["ask"]
        if type == "ask.decided":
            log.decided[ask].append((data["decision"], data["answer"]))
            match data["answer"]:
                case {"arguments": {"key": str(key)}} if data["decision"] == "allow":
                    # The call as it was allowed: that of its first key must not be done.
                    step = self._tools[self._asked[ask]]
                    for other in [other for other, one in log.steps.items() if one is step]:
                        del log.steps[other]
                    log.steps["tool", key] = step
                case _:
                    pass
            return
        prompt = data["prompt"]
        if data["kind"] == "session":
            log.children[ask] = prompt["session"]
        elif "call" in prompt:
            self._asked[ask] = turn, prompt["call"], prompt["index"]


def read_log(database: Database) -> Log:
    log, reading = Log(), Reading()
    programs = {str(UUID(bytes=id)) for (id,) in database.query(PROGRAMS)}
    for session, events in groupby(database.query(EVENTS), key=itemgetter(0)):
        _read_session(log, reading, UUID(bytes=session), [event[1:] for event in events], programs)
    return log


def _read_session(
    log: Log, reading: Reading, session: UUID, events: Sequence[tuple[Any, ...]], programs: set[str]
) -> None:
    forked_seq = max((seq - 1 for seq, _, type, *_ in events if type == "session.forked"), default=0)
    copied, past, is_program = set[bytes](), set[str](), False
    for seq, id, type, of_turn, text in events:
        data, turn = json.loads(text), of_turn or NO_TURN
        log.events[str(session)].append((seq, str(UUID(bytes=id)), type))
        is_program = data["agent"] in programs if type == "session.created" else is_program
        if seq <= forked_seq:
            # The same steps as the parent's; what the fork says of them is their end in it alone.
            copied.add(turn)
            if type == "input.received":
                past.add(data["input"])
            log.facts["events copied"] += 1
        elif type == "input.withdrawn" and data["input"] in past:
            log.facts["inputs left to the parent"] += 1
        elif turn == NO_TURN or turn not in copied:
            log.facts[f"{type} {data['status']}" if type == "tool.completed" else type] += 1
            if type == "input.received":
                log.received[str(session)].append(data["input"])
            reading.take(log, type, turn, data, is_program=is_program)
