"""Draws requests, sound ones among wrong ones; the same for the same seed."""

from collections.abc import Sequence
from typing import Any, Final

from tests.support import chance as support

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


class Chance(support.Chance):
    def text(self) -> str:
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
