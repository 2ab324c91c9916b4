"""What the turns of a round are told to do: for each agent, texts that its model or program plays."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.chaos.tools import CLIENT_TOOL, NAMES, REFUSES

Script = Callable[[Random, str], str]


def tool_call(random: Random, key: str) -> dict[str, Any]:
    name = random.choice([*NAMES, *NAMES, REFUSES, "write_file", "is-missing", CLIENT_TOOL, "ask_user"])
    match name:
        case "write_file":
            arguments = {"path": "a.txt", "content": key}
        case "ask_user":
            arguments = {"question": key}
        case _ if name == CLIENT_TOOL:
            # Nothing that is done here: a client looks.
            arguments = {"at": key}
        case _:
            arguments = {"key": key}
    return {"name": name, "arguments": arguments}


def simulated(random: Random, key: str) -> str:
    """A script of `sim/script`."""
    steps: list[dict[str, Any]] = []
    for call in range(1, random.randint(1, 4)):
        steps += random.choice([[], [], [{"sleep": 0.005}], [{"error": "transient"}]])
        steps.append({"call": tool_call(random, f"{key}/{call}/0")})
    return json.dumps([*steps, {"say": f"{key} is done"}])


def parallel(random: Random, key: str) -> str:
    """A script of the model that calls tools side by side."""
    steps: list[list[dict[str, Any]] | str] = [
        [tool_call(random, f"{key}/{call}/{index}") for index in range(random.randint(1, 4))]
        for call in range(1, random.randint(2, 4))
    ]
    return json.dumps([*steps, f"{key} is done with it"])


def family(random: Random, key: str, depth: int = 2) -> str:
    """A script of the model that calls tools side by side, of which some start sessions; these may do so too."""

    def call(place: str) -> dict[str, Any]:
        if random.random() < 0.3:
            return tool_call(random, place)
        if depth > 1 and random.random() < 0.3:
            agent, message = "family", family(random, place, depth - 1)
        else:
            agent = random.choice(["child", "child", "child", "nobody"])
            message = simulated(random, place)
        return {"name": "run_session", "arguments": {"agent": agent, "message": message, "title": place}}

    steps: list[list[dict[str, Any]] | str] = [
        [call(f"{key}/{number}/{index}") for index in range(random.randint(1, 3))]
        for number in range(1, random.randint(2, 3))
    ]
    return json.dumps([*steps, f"{key} is done with them"])


def program(random: Random, key: str) -> str:
    lines: list[str] = []
    for number in range(random.randint(1, 3)):
        lines += random.choice([[], [], ["rest"], [f"say {key} goes on"]])
        lines.append(random.choice([f"line {key}/{number}"] * 5 + [f"die {key}/{number}"]))
    return "\n".join([*lines, f"say {key} is done"])


SCRIPTS: Final[dict[str, Script]] = {
    "scripted": simulated,
    "parallel": parallel,
    "family": family,
    "program": program,
}
