"""The world outside of the server, where effects are seen: a file of lines that no transaction takes back."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Effect:
    """`key` names the step (of a tool) or the input that the model answers; `pid` is the server that did it.

    A `death` is that of an agent's program, which it dies by itself.
    """

    kind: Literal["tool", "model", "death"]
    key: str
    pid: int


class Outside:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, kind: Literal["tool", "model"], key: str) -> None:
        """One write call: a killed process leaves a whole line or none."""
        os.write(self._file, (json.dumps(asdict(Effect(kind, key, os.getpid()))) + "\n").encode())


def effects(path: Path) -> list[Effect]:
    return [Effect(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
