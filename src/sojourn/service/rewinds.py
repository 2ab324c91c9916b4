"""Rewinds: a session goes on behind an earlier event, and its log keeps what is taken back."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from sojourn.domain.actor import Actor
from sojourn.domain.commands import RewindSession
from sojourn.domain.errors import InvalidRequest, NotFound, SequenceMismatch
from sojourn.domain.file import File, below
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.rebuild import REBUILT_FROM, Rebuild
from sojourn.domain.record import SessionRecord
from sojourn.ports import Clock, Store, Tx
from sojourn.service.forks import PIECE
from sojourn.service.paging import read_page
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, carry_out, lock, once

# Each is an event, and all of them are written in one transaction.
MAX_RESTORED: Final = 2_000

Changes = tuple[FileWritten | FileDeleted, ...]


class Rewinds:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def rewind(
        self,
        org: OrgId,
        session: SessionId,
        to: int,
        by: Actor,
        expected_seq: int | None = None,
        repeat: Repeat | None = None,
    ) -> Result[SessionRecord]:
        """Take back what stands behind the event `to`, at which no turn was open.

        WrongState unless the session is idle; SequenceMismatch unless `expected_seq` is the log's last.
        """
        files, first_seq = dict[str, File](), 1
        known = (
            None
            if repeat is None
            else await self._store.reads.recall(org, repeat.key, repeat.operation, repeat.idempotency_key)
        )
        if known is None:
            files, first_seq = await self._files_at(org, session, to)
        now = self._clock.now()

        async def rewind(tx: Tx) -> Remembered:
            state = await lock(tx, org, session)
            last = state.session.next_seq - 1
            if expected_seq is not None and expected_seq != last:
                raise SequenceMismatch(expected_seq, last)
            area = {file.path: file for file in await tx.list_files(org, session)}
            # What was written before the log was cut, and not changed since, was there.
            old = {path: file for path, file in area.items() if file.seq < first_seq}
            changes = restoring(area, old | files)
            if len(changes) > MAX_RESTORED:
                raise InvalidRequest(
                    "to_seq",
                    f"more than {MAX_RESTORED} files would have to be changed; fork the session there",
                )
            await carry_out(tx, state, RewindSession(to=to, by=by, changes=changes), now)
            await tx.mark_rewound(org, session)
            return Remembered({"session": str(session)}, created=False)

        answer = await self._store.write(lambda tx: once(tx, org, repeat, now, lambda: rewind(tx)))
        record = await self._store.reads.get_session(org, session)
        if record is None:
            raise NotFound("session", session)
        return Result(record, created=False, replayed=answer.replayed)

    async def _files_at(self, org: OrgId, session: SessionId, to: int) -> tuple[dict[str, File], int]:
        """The file area as it stood behind an event, and where the log begins.

        InvalidRequest for an event that no conversation can go on behind.

        It is read before the transaction: what stands in a log does not change.
        """
        reads = self._store.reads
        record = await reads.get_session(org, session)
        if record is None:
            raise NotFound("session", session)
        last = record.session.next_seq - 2
        if not record.first_seq <= to <= last:
            raise InvalidRequest("to_seq", f"must be a seq before the last, {record.first_seq} to {last}")
        rebuild, after = Rebuild(record.session.runner), record.first_seq - 1
        while after < to:
            upto = min(after + PIECE, to)
            page = await read_page(reads, org, session, after, PIECE, REBUILT_FROM, upto=upto)
            for event, entry in page:
                rebuild.apply(entry, event.at)
            rebuild.take_settled()
            after = upto
            # On SQLite a read does not suspend: give the others their turn between two pieces.
            await asyncio.sleep(0)
        if rebuild.turn is not None:
            before = rebuild.turn.first_seq - 1
            raise InvalidRequest(
                "to_seq", f"lies within a turn, which began behind event {before}; fork there instead"
            )
        return rebuild.files, record.first_seq


def restoring(now: Mapping[str, File], then: Mapping[str, File]) -> Changes:
    """The changes that make an area what it was."""
    left, paths = dict(now), sorted(now)
    changes: list[FileWritten | FileDeleted] = []
    for path in sorted(now.keys() - then.keys()):
        if path in left:
            changes.append(FileDeleted(path=path))
            # Whatever lay below goes with it, and is written again if it was there.
            for gone in (path, *below(paths, path)):
                left.pop(gone, None)
    changes += [_written(file) for file in _unlike(then.values(), left)]
    return tuple(changes)


def _unlike(files: Iterable[File], now: Mapping[str, File]) -> Iterable[File]:
    for file in sorted(files, key=lambda file: file.path):
        known = now.get(file.path)
        if known is None or (known.sha256, known.readonly) != (file.sha256, file.readonly):
            yield file


def _written(file: File) -> FileWritten:
    return FileWritten(path=file.path, sha256=file.sha256, size=file.size, readonly=file.readonly)
