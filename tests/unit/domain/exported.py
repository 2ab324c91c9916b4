"""A small exported session, and the ways in which a file comes to harm."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sojourn.domain.export import Header, Trailer, Writer
from sojourn.domain.ids import DEFAULT_ORG, EventId, SessionId, TurnId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.domain.verifier import Line, Verifier

START = datetime(2026, 1, 1, tzinfo=UTC)
CONTENTS = (b"one", b"two" * 1000)


def exported(events: int = 12, first_seq: int = 1, has_files: bool = True) -> list[bytes]:
    """The lines of an export. Every third event names a file; numbers of all kinds occur."""
    writer = Writer()
    header = Header(
        exporter="a test",
        exported_at=START,
        first_seq=first_seq,
        last_seq=first_seq + events - 1,
        has_files=has_files,
        session={"id": "s", "metadata": {"n": 2**53 + 1}},
        agent={"name": "clerk", "temperature": 0.5},
    )
    lines = [writer.header(header)]
    turn = TurnId(uuid7())
    for seq in range(first_seq, first_seq + events):
        data: dict[str, Any] = {"n": seq, "text": f"event {seq} \u20ac", "half": 0.5}
        kind = "message.completed"
        if seq % 3 == 0:
            content = CONTENTS[seq % 2]
            sha256 = hashlib.sha256(content).hexdigest()
            kind, data = "file.written", {"path": f"f{seq}", "sha256": sha256, "size": len(content)}
            if has_files and not writer.has_blob(sha256):
                lines.append(writer.blob(sha256, content))
        elif seq % 5 == 0:
            data["large"] = 2**64 + seq
        stored = StoredEvent(
            DEFAULT_ORG,
            SessionId(turn),
            seq,
            EventId(uuid7()),
            kind,
            1,
            START + timedelta(seconds=seq, microseconds=seq % 2),
            turn if seq % 2 else None,
            seq,
            json.dumps(data),
        )
        lines.append(writer.event(stored, stored.data))
    return [*lines, writer.trailer()]


def verified(lines: list[bytes]) -> tuple[list[Line], Trailer]:
    verifier = Verifier()
    return [verifier.take(line) for line in lines], verifier.end()


def change_byte(random: Random, lines: list[bytes]) -> None:
    index = random.randrange(len(lines))
    line = bytearray(lines[index])
    line[random.randrange(len(line))] ^= 1 << random.randrange(8)
    lines[index] = bytes(line)


def drop(random: Random, lines: list[bytes]) -> None:
    del lines[random.randrange(len(lines))]


def swap(random: Random, lines: list[bytes]) -> None:
    first, second = random.sample(range(len(lines)), 2)
    lines[first], lines[second] = lines[second], lines[first]


def repeat(random: Random, lines: list[bytes]) -> None:
    lines.insert(random.randrange(len(lines) + 1), random.choice(lines))


def insert(random: Random, lines: list[bytes]) -> None:
    foreign = [
        b"\n",
        b"{}\n",
        b"null\n",
        b"[]\n",
        exported(first_seq=random.randint(1, 5))[random.randrange(9)],
    ]
    lines.insert(random.randrange(len(lines) + 1), random.choice(foreign))


def truncate(random: Random, lines: list[bytes]) -> None:
    del lines[random.randrange(len(lines)) :]


def cut(random: Random, lines: list[bytes]) -> None:
    """In the middle of the last line that is left."""
    del lines[random.randrange(1, len(lines)) :]
    lines[-1] = lines[-1][: random.randrange(len(lines[-1]))]


def rewrite_spacing(random: Random, lines: list[bytes]) -> None:
    index = random.randrange(len(lines))
    lines[index] = json.dumps(json.loads(lines[index])).encode() + b"\n"


def change_value(random: Random, lines: list[bytes]) -> None:
    """With a hash that is right for the line."""
    index = random.randrange(len(lines))
    fields: dict[str, Any] = json.loads(lines[index])
    name = random.choice([name for name in fields if name != "hash"])
    others: list[Any] = [None, 0, True, "x", {}, [], fields[random.choice(list(fields))], "f" * 64]
    fields[name] = random.choice(others)
    if "hash" in fields:
        del fields["hash"]
        digest = hashlib.sha256(
            json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        )
        fields["hash"] = digest.hexdigest()
    lines[index] = (
        json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )


HARMS: tuple[Callable[[Random, list[bytes]], None], ...] = (
    change_byte, drop, swap, repeat, insert, truncate, cut, rewrite_spacing, change_value,
)  # fmt: skip
