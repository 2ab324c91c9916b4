"""Server-sent events out of bytes, as they come."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SentEvent:
    """`name` is empty where the event has none."""

    name: str
    data: bytes


@dataclass(slots=True)
class EventReader:
    """Fed chunk by chunk; an event that its blank line does not end is none."""

    _rest: bytearray = field(default_factory=bytearray)
    _name: str = ""
    _data: list[bytes] = field(default_factory=list[bytes])

    def feed(self, chunk: bytes) -> Iterator[SentEvent]:
        if b"\n" not in chunk and b"\r" not in chunk and not self._rest.endswith(b"\r"):
            # A long line in many chunks is looked through once.
            self._rest += chunk
            return
        text = bytes(self._rest) + chunk
        # A carriage return at the end may have its line feed in the next chunk.
        is_held = text.endswith(b"\r")
        lines = (text[:-1] if is_held else text).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = bytearray(lines.pop() + (b"\r" if is_held else b""))
        for line in lines:
            event = self._take(line)
            if event is not None:
                yield event

    def _take(self, line: bytes) -> SentEvent | None:
        if not line:
            data, name = self._data, self._name
            self._data, self._name = [], ""
            return SentEvent(name, b"\n".join(data)) if data else None
        field_name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field_name == b"data":
            self._data.append(value)
        elif field_name == b"event":
            self._name = value.decode("utf-8", "replace")
        return None
