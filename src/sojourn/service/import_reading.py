"""Reading an exported session a piece at a time, by what may run in a thread: nothing here knows a store.

A piece is bounded in lines and in bytes, so that whoever stops waiting for one leaves little behind that still runs.
"""

from dataclasses import dataclass, field
from typing import BinaryIO, Final

from sojourn.domain.export import MAX_LINE_BYTES, ExportedBlob, ExportedEvent
from sojourn.domain.log import LogEntry
from sojourn.domain.rebuild import Rebuild
from sojourn.domain.verifier import Verifier
from sojourn.service.codec import decode
from sojourn.service.forks import PIECE
from sojourn.service.import_check import Check
from sojourn.service.pasts import Rows

# Of JSON and contents together, what one transaction writes.
PIECE_BYTES: Final = 4 * 1024 * 1024


@dataclass(slots=True)
class Piece:
    """Events, and the contents that they name, with the rows that follow."""

    events: list[ExportedEvent] = field(default_factory=list[ExportedEvent])
    blobs: list[ExportedBlob] = field(default_factory=list[ExportedBlob])
    rows: Rows = field(default_factory=Rows)
    size: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.events) >= PIECE or self.size >= PIECE_BYTES


def take_piece(check: Check, file: BinaryIO) -> bool:
    """Check some more lines; False at the end of the file. BrokenExport names the line that is refused."""
    lines = size = 0
    while lines < PIECE and size < PIECE_BYTES:
        line = file.readline(MAX_LINE_BYTES + 1)
        if not line:
            return False
        check.take(line)
        lines, size = lines + 1, size + len(line)
    return True


class Past:
    """The past of a file that was checked. `rebuild` is whole when there is no further piece."""

    def __init__(self, file: BinaryIO, rebuild: Rebuild) -> None:
        self._file = file
        self._rebuild = rebuild
        self._verifier = Verifier()
        self._is_read = False
        self._files_done = 0
        file.seek(0)

    def next_piece(self) -> Piece | None:
        if not self._is_read:
            return self._read()
        start, self._files_done = self._files_done, self._files_done + PIECE
        files = list(self._rebuild.files.values())[start : start + PIECE]
        return Piece(rows=Rows(files=files)) if files else None

    def _read(self) -> Piece:
        piece = Piece()
        while not piece.is_full:
            line = self._file.readline()
            if not line:
                self._is_read = True
                break
            self._take(piece, line)
        done = self._rebuild.take_settled()
        piece.rows = Rows(turns=done.turns, inputs=done.inputs, asks=done.asks)
        return piece

    def _take(self, piece: Piece, line: bytes) -> None:
        taken = self._verifier.take(line)
        if isinstance(taken, ExportedBlob):
            piece.blobs.append(taken)
        elif isinstance(taken, ExportedEvent):
            piece.events.append(taken)
            event = decode(taken.type, taken.v, taken.data)
            self._rebuild.apply(LogEntry(taken.seq, taken.turn, taken.type, event), taken.at)
        piece.size += len(line)
