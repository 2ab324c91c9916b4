"""Whether an exported session is whole and as it was written, line by line and without a server.

It finds every change of a file but one: whoever writes the whole file anew, with hashes of their own. Only a head that
was kept elsewhere tells such a file from the true one.
"""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NoReturn, TypeVar
from uuid import UUID

from sojourn.domain.canonical import NotCanonical, joined
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.export import (
    FORMAT,
    GENESIS,
    MAX_LINE_BYTES,
    TEXT,
    VERSION,
    ExportedBlob,
    ExportedEvent,
    Forms,
    Header,
    Object,
    Trailer,
    file_of,
    forms_of,
    has_form,
    hash_of,
    instant,
)
from sojourn.domain.ids import TurnId
from sojourn.domain.kinds import Json

T = TypeVar("T")

Line = Header | ExportedBlob | ExportedEvent | Trailer

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_INSTANT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_MEMBERS: Final = {
    "header": {
        "format",
        "version",
        "exporter",
        "exported_at",
        "first_seq",
        "last_seq",
        "files",
        "session",
        "agent",
    },
    "blob": {"sha256", "data"},
    "event": {"seq", "type", "v", "at", "turn", "prev", "data"},
    "trailer": {"events", "blobs", "header", "head"},
}


class BrokenExport(InvalidRequest):
    """`line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}", problem)
        self.line = line


class Verifier:
    """Takes the lines of one export in order; a BrokenExport names the first line that is not what it was."""

    def __init__(self) -> None:
        self.line = 0
        self.head = GENESIS
        self.header: Header | None = None
        self.trailer: Trailer | None = None
        self.events = 0
        self._header_hash = GENESIS
        # The canonical forms of the members of the line that is taken.
        self._forms: Forms = {}
        self._blobs = set[bytes]()
        # The content that the next line is to name.
        self._unnamed: str | None = None

    def take(self, line: bytes) -> Line:
        """One line, its line feed included."""
        self.line += 1
        fields = self._read(line)
        kind = self._text(fields, "kind")
        if self.trailer is not None:
            self._fail("stands behind the trailer")
        if (kind == "header") != (self.header is None):
            self._fail("is not the header" if self.header is None else "is a second header")
        if self._unnamed is not None and kind != "event":
            self._fail("stands between the content of a file and the event that names it")
        match kind:
            case "header":
                return self._take_header(fields)
            case "blob":
                return self._take_blob(fields)
            case "event":
                return self._take_event(fields)
            case _:
                return self._take_trailer(fields)

    def end(self) -> Trailer:
        """The trailer, when every line was taken."""
        if self.trailer is None:
            self.line += 1
            self._fail("is missing: the file ends without its trailer")
        return self.trailer

    def _take_header(self, fields: Object) -> Header:
        if (fields.get("format"), fields.get("version")) != (FORMAT, VERSION):
            self._fail(f"is not the header of an export of version {VERSION}")
        self._header_hash = self._checked(fields)
        self.header = Header(
            exporter=self._text(fields, "exporter"),
            exported_at=self._instant(fields, "exported_at"),
            first_seq=self._count(fields, "first_seq"),
            last_seq=self._count(fields, "last_seq"),
            has_files=self._member(fields, "files", bool),
            session=self._object(fields, "session"),
            agent=self._object(fields, "agent"),
        )
        return self.header

    def _take_blob(self, fields: Object) -> ExportedBlob:
        sha256, text = self._digest(fields, "sha256"), self._text(fields, "data")
        try:
            data = b64decode(text, validate=True)
        except ValueError:
            self._fail("holds no base64")
        if hashlib.sha256(data).hexdigest() != sha256:
            self._fail("holds another content than its digest says")
        if bytes.fromhex(sha256) in self._blobs:
            self._fail("holds a content that was there before")
        assert self.header is not None
        if not self.header.has_files:
            self._fail("holds the content of a file, which the header says are left out")
        self._blobs.add(bytes.fromhex(sha256))
        self._unnamed = sha256
        return ExportedBlob(sha256, data)

    def _take_event(self, fields: Object) -> ExportedEvent:
        header, seq = self.header, self._count(fields, "seq")
        assert header is not None
        expected = header.first_seq + self.events
        if seq != expected:
            self._fail(f"is event {seq}, and event {expected} is due")
        if self._digest(fields, "prev") != self.head:
            self._fail(f"is not linked to the event before it: event {seq} follows another")
        self.head = self._checked(fields)
        self.events += 1
        data, text = self._data(fields)
        type, turn = self._text(fields, "type"), fields["turn"]
        file = file_of(type, data)
        self._check_file(header, file)
        return ExportedEvent(
            seq=seq,
            type=type,
            v=self._count(fields, "v"),
            at=self._instant(fields, "at"),
            turn=None if turn is None else TurnId(self._read_as(fields, "turn", _uuid)),
            data=text,
            file=file,
            hash=self.head,
        )

    def _check_file(self, header: Header, file: str | None) -> None:
        unnamed, self._unnamed = self._unnamed, None
        if unnamed is not None and unnamed != file:
            self._fail("does not name the content that stands before it")
        if file is None:
            return
        if _SHA256.fullmatch(file) is None:
            self._fail("names a content by what is no digest")
        if header.has_files and bytes.fromhex(file) not in self._blobs:
            self._fail(f"names the content {file}, which is not in the file")

    def _take_trailer(self, fields: Object) -> Trailer:
        assert self.header is not None
        hash = self._checked(fields)
        if self._digest(fields, "header") != self._header_hash:
            self._fail("belongs to another header")
        if self._digest(fields, "head") != self.head:
            self._fail("belongs to another log: its head is not the hash of the last event")
        counted = (self._count(fields, "events"), self._count(fields, "blobs"))
        if counted != (self.events, len(self._blobs)):
            self._fail(f"counts {counted[0]} events and {counted[1]} contents, and there were others")
        if self.events != self.header.last_seq - self.header.first_seq + 1:
            self._fail(
                f"comes before event {self.header.last_seq}, with which the header says that the log ends"
            )
        self.trailer = Trailer(events=self.events, blobs=len(self._blobs), head=self.head, hash=hash)
        return self.trailer

    def _read(self, line: bytes) -> Object:
        if len(line) > MAX_LINE_BYTES:
            self._fail(f"is longer than {MAX_LINE_BYTES} bytes")
        if not line.endswith(b"\n"):
            self._fail("is cut off: no line feed ends it")
        try:
            value: Json = json.loads(line.decode())
            fields = value if isinstance(value, dict) else {}
            self._forms = forms_of(fields)
            form = joined(self._forms)
        except NotCanonical as error:
            self._fail(f"is not in canonical form: it holds {error}")
        except (ValueError, RecursionError):
            self._fail("is no JSON")
        if not isinstance(value, dict):
            self._fail("is no object")
        if form + b"\n" != line:
            self._fail("is not in canonical form")
        self._check_members(fields)
        return fields

    def _check_members(self, fields: Object) -> None:
        kind = fields.get("kind")
        expected = _MEMBERS.get(kind) if isinstance(kind, str) else None
        if expected is None:
            self._fail(f"is of the unknown kind {str(kind)[:40]!r}")
        hashes = set[str]() if kind == "blob" else {"hash"}
        members = {name.removesuffix(TEXT) for name in fields}
        if members != expected | hashes | {"kind"} or len(members) != len(fields):
            self._fail(f"has other members than a line of its kind ({kind})")

    def _checked(self, fields: Object) -> str:
        """The hash of the line, which must be what the line says."""
        hash = hash_of({name: form for name, form in self._forms.items() if name != "hash"})
        if self._digest(fields, "hash") != hash:
            self._fail("was changed: its hash is not that of its content")
        return hash

    def _data(self, fields: Object) -> tuple[Json, str]:
        """The data of an event, as a value and as the text to keep."""
        if "data" in fields:
            return fields["data"], self._forms["data"].decode()
        return self._carried(fields, "data"), self._text(fields, "data" + TEXT)

    def _object(self, fields: Object, name: str) -> Object:
        value = fields[name] if name in fields else self._carried(fields, name)
        if not isinstance(value, dict):
            self._fail(f"has no object as its {name}")
        return value

    def _carried(self, fields: Object, name: str) -> Json:
        try:
            value: Json = json.loads(self._text(fields, name + TEXT), parse_constant=_refuse)
            stands_for_nothing = has_form(value)
        except (ValueError, RecursionError):
            self._fail(f"has no JSON as its {name}")
        if stands_for_nothing:
            self._fail(f"carries as text what could stand there as its {name}")
        return value

    def _member(self, fields: Object, name: str, type: type[T]) -> T:
        value = fields.get(name)
        if not isinstance(value, type):
            self._fail(f"has no {name} of the right kind")
        return value

    def _text(self, fields: Object, name: str) -> str:
        return self._member(fields, name, str)

    def _count(self, fields: Object, name: str) -> int:
        value = self._member(fields, name, int)
        # To Python, true is an integer.
        if value < 0 or isinstance(value, bool):
            self._fail(f"has no count as its {name}")
        return value

    def _digest(self, fields: Object, name: str) -> str:
        value = self._text(fields, name)
        if _SHA256.fullmatch(value) is None:
            self._fail(f"has no digest as its {name}")
        return value

    def _instant(self, fields: Object, name: str) -> datetime:
        return self._read_as(fields, name, _instant)

    def _read_as(self, fields: Object, name: str, read: Callable[[str], T]) -> T:
        try:
            return read(self._text(fields, name))
        except BrokenExport:
            raise
        except ValueError:
            self._fail(f"has no {name} of the right kind")

    def _fail(self, problem: str) -> NoReturn:
        raise BrokenExport(self.line, problem)


def _instant(text: str) -> datetime:
    at = datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)
    if instant(at) != text:
        raise ValueError(text)
    return at


def _uuid(text: str) -> UUID:
    found = UUID(text)
    if str(found) != text:
        raise ValueError(text)
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
