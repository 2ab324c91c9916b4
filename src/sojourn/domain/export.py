"""An exported session: JSON lines, each in the form of RFC 8785, whose events are a chain of digests.

A file is a header, then the events in the order of their seqs, then a trailer; the content of a file of the session's
area stands before the first event that names it. The `hash` of a line is the SHA-256, in hexadecimal, of the canonical
form of the line without that member. An event's `prev` is the hash of the event before it, `GENESIS` for the first, and
nothing in an event says where or when it was exported: a log has the same chain in every export, and a fork or an
import has that of its origin up to where it begins to be its own. The trailer binds header and chain together.
"""

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sojourn.domain.canonical import NotCanonical, canonical, joined
from sojourn.domain.file_events import FileWritten
from sojourn.domain.ids import TurnId
from sojourn.domain.kinds import Json
from sojourn.domain.log import StoredEvent

FORMAT: Final = "sojourn.session"
VERSION: Final = 1
GENESIS: Final = "0" * 64
# A file of the area has at most 4 MiB, which base64 makes 5.6; an event's data came in a request of at most 8.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
# What the text of a value that has no canonical form stands under: `data_text` for `data`.
TEXT: Final = "_text"

Object = dict[str, Json]
# The canonical forms of the members of an object. Data may be large, and its form is made once for a line.
Forms = dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`session` and `agent` are what the server says of them, `has_files` whether the contents of files are inside."""

    exporter: str
    exported_at: datetime
    first_seq: int
    last_seq: int
    has_files: bool
    session: Object
    agent: Object


@dataclass(frozen=True, slots=True)
class ExportedBlob:
    """The content of a file of the area."""

    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedEvent:
    """An entry of the log. `data` is JSON text, whole however large; `file` the digest of the content that it names."""

    seq: int
    type: str
    v: int
    at: datetime
    turn: TurnId | None
    data: str
    file: str | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """`head` is the hash of the last event, `hash` that of the whole file."""

    events: int
    blobs: int
    head: str
    hash: str


class Writer:
    """The lines of one export, in order."""

    def __init__(self) -> None:
        self._header = GENESIS
        self._head = GENESIS
        self._events = 0
        self._written = set[bytes]()

    def header(self, header: Header) -> bytes:
        fields: Object = {
            "kind": "header",
            "format": FORMAT,
            "version": VERSION,
            "exporter": header.exporter,
            "exported_at": instant(header.exported_at),
            "first_seq": header.first_seq,
            "last_seq": header.last_seq,
            "files": header.has_files,
        }
        said = carried("session", json.dumps(header.session)) | carried("agent", json.dumps(header.agent))
        line, self._header = hashed(fields, said)
        return line

    def has_blob(self, sha256: str) -> bool:
        return bytes.fromhex(sha256) in self._written

    def blob(self, sha256: str, data: bytes) -> bytes:
        self._written.add(bytes.fromhex(sha256))
        fields: Object = {"kind": "blob", "sha256": sha256, "data": b64encode(data).decode()}
        return canonical(fields) + b"\n"

    def event(self, event: StoredEvent, data: str) -> bytes:
        """`data` is that of the event, with what a reference leads to in its place."""
        fields: Object = {
            "kind": "event",
            "seq": event.seq,
            "type": event.type,
            "v": event.v,
            "at": instant(event.at),
            "turn": None if event.turn is None else str(event.turn),
            "prev": self._head,
        }
        line, self._head = hashed(fields, carried("data", data))
        self._events += 1
        return line

    def trailer(self) -> bytes:
        fields: Object = {
            "kind": "trailer",
            "events": self._events,
            "blobs": len(self._written),
            "header": self._header,
            "head": self._head,
        }
        line, _ = hashed(fields)
        return line


def hashed(fields: Object, carried: Forms | None = None) -> tuple[bytes, str]:
    """The line of these members with its hash among them, and that hash."""
    forms = forms_of(fields) | (carried or {})
    digest = hash_of(forms)
    return joined(forms | {"hash": canonical(digest)}) + b"\n", digest


def forms_of(fields: Object) -> Forms:
    return {name: canonical(value) for name, value in fields.items()}


def hash_of(forms: Forms) -> str:
    """That of a line whose members, the hash left out, have these forms."""
    return hashlib.sha256(joined(forms)).hexdigest()


def carried(name: str, text: str) -> Forms:
    """JSON as a member: as it is, or as its text where some number in it has no canonical form."""
    try:
        return {name: canonical(json.loads(text))}
    except NotCanonical:
        return {name + TEXT: canonical(text)}


def has_form(value: Json) -> bool:
    try:
        canonical(value)
    except NotCanonical:
        return False
    return True


def file_of(type: str, data: Json) -> str | None:
    """The digest of the content that an event names."""
    sha256 = data.get("sha256") if type == FileWritten.type and isinstance(data, dict) else None
    return sha256 if isinstance(sha256, str) else None


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, always with six places."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
