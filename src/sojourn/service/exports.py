"""Exports: a session as the lines of `domain/export.py`, up to the event that was its last when the export began."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import msgspec

from sojourn import __version__
from sojourn.domain.agent import Agent
from sojourn.domain.errors import NotFound
from sojourn.domain.export import Header, Object, Writer
from sojourn.domain.file_events import FileWritten
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import SessionRecord
from sojourn.ports import Clock, Reads
from sojourn.service.agents import Agents
from sojourn.service.codec import MissingBlob, decode, get_large, referred

# Events that are read at once. Large data may make each of them megabytes, so it is fetched one by one.
PAGE: Final = 200


class Exports:
    def __init__(self, reads: Reads, clock: Clock, agents: Agents) -> None:
        self._reads = reads
        self._clock = clock
        self._agents = agents

    async def open(self, org: OrgId, session: SessionId, has_files: bool = True) -> AsyncGenerator[bytes]:
        """The lines, each with its line feed. NotFound at once; later for a log that is deleted while it is read."""
        record = await self._reads.get_session(org, session)
        if record is None:
            raise NotFound("session", session)
        row = record.session
        agent = await self._agents.get_version(self._reads, org, row.agent, row.agent_version)
        return self._lines(record, agent, has_files)

    async def _lines(self, record: SessionRecord, agent: Agent, has_files: bool) -> AsyncGenerator[bytes]:
        writer, row = Writer(), record.session
        header = Header(
            exporter=f"sojourn {__version__}",
            exported_at=self._clock.now(),
            first_seq=record.first_seq,
            last_seq=row.next_seq - 1,
            has_files=has_files,
            session=_said_of(record),
            agent={"id": str(agent.id), "version": agent.version, "spec": msgspec.to_builtins(agent.spec)},
        )
        yield writer.header(header)
        due = header.first_seq
        while due <= header.last_seq:
            events = await self._reads.events_after(row.org, row.id, due - 1, PAGE, (), header.last_seq)
            for event in events:
                if event.seq != due:
                    break
                async for line in self._line(writer, event, has_files):
                    yield line
                due += 1
                if referred(event.data) is not None:
                    await asyncio.sleep(0)
            if not events or events[-1].seq != due - 1:
                raise NotFound("event", due)
            # On SQLite a read does not suspend: a long log keeps everyone waiting for no more than a page of it.
            await asyncio.sleep(0)
        yield writer.trailer()

    async def _line(self, writer: Writer, event: StoredEvent, has_files: bool) -> AsyncGenerator[bytes]:
        data = await get_large(self._reads, event)
        if has_files and event.type == FileWritten.type:
            written = decode(event.type, event.v, data)
            sha256 = written.sha256 if isinstance(written, FileWritten) else None
            if sha256 is not None and not writer.has_blob(sha256):
                content = await self._reads.get_blob(event.org, bytes.fromhex(sha256))
                if content is None:
                    raise MissingBlob(sha256)
                yield writer.blob(sha256, content)
        yield writer.event(event, data)


def _said_of(record: SessionRecord) -> Object:
    """What a reader of the file is told of the session, and what an import takes over of it."""
    row = record.session
    return {
        "id": str(row.id),
        "title": record.title,
        "metadata": dict(record.metadata),
        "tags": list(record.tags),
        "external_id": record.external_id,
        "origin": record.origin,
        "policy": msgspec.to_builtins(row.policy),
        "overlay": msgspec.to_builtins(record.overlay),
        "status": row.status.value,
        "end_reason": row.end_reason,
        "forked_from": None if record.forked_from is None else str(record.forked_from),
        "forked_seq": record.forked_seq,
        "created_at": msgspec.to_builtins(row.created_at),
        "ended_at": msgspec.to_builtins(row.ended_at),
        "archived_at": msgspec.to_builtins(row.archived_at),
    }
