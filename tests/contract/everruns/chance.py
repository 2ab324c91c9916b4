"""Draws requests, sound ones among wrong ones; the same for the same seed."""

import random
from collections.abc import Sequence
from typing import Any, Final

TEXTS: Final = (
    "",
    "x",
    "x" * 300,
    "\0",
    "\ud7ff\ue000\U0010ffff",
    "'",
    "\\",
    '"%_*',
    "null",
    "../..",
    "2031-01-01",
)
JUNK: Final = (
    b"",
    b"[",
    b"{}",
    b"null",
    b"[]",
    b'{"name":',
    b"\xff\xfe",
    b'{"metadata":{"a":1e999}}',
    b'"\\ud800"',
    b'{"a":"\\u0000"}',
    b"[" * 5_000,
)


class Chance:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def of(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def below(self, number: int) -> int:
        return self._random.randrange(number)

    def value(self, depth: int = 0) -> Any:
        match self.below(9):
            case 0:
                return None
            case 1:
                return self.of((True, False))
            case 2:
                return self.of((0, 1, -1, 2**31, 2**63, -(2**64), 1e308, 0.1))
            case 3 if depth < 3:
                return [self.value(depth + 1) for _ in range(self.below(4))]
            case 4 if depth < 3:
                return {self.of(TEXTS): self.value(depth + 1) for _ in range(self.below(4))}
            case _:
                return self.of(TEXTS)

    def required(self, sound: dict[str, tuple[Any, ...]]) -> Sequence[str]:
        """Now and then every name, so that whatever a request needs is there."""
        return tuple(sound) if self.below(3) == 0 else ()

    def payload(self, sound: dict[str, tuple[Any, ...]], required: Sequence[str] = ()) -> dict[str, Any]:
        """What a request is sent with: mostly an object that makes sense, so that what follows meets something."""
        if self.below(6) == 0:
            return {"content": self.of((*JUNK, self._random.randbytes(self.below(60))))}
        said = {name: self.of(sound[name]) for name in sound if name in required or self.below(4) == 0}
        if self.below(3) == 0:
            said |= {self.of(tuple(sound)): self.value() for _ in range(1 + self.below(2))}
        return {"json": said}
