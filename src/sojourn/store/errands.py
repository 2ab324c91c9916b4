"""Errands: rows of the outbox to values and back, and their verbs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from sojourn.domain.errand import TASKS, Errand, ErrandId, Task
from sojourn.domain.ids import OrgId, SessionId
from sojourn.store.db import Db
from sojourn.store.rows import Row, to_json, to_micros

KIND: Final = "errand"
_NAMES: Final = {task: name for name, task in TASKS.items()}
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(task) for name, task in TASKS.items()
}


class _Payload(msgspec.Struct):
    name: str
    task: msgspec.Raw


_decode_payload = msgspec.json.Decoder(_Payload).decode


class ErrandReads:
    _db: Db

    async def due_errands(self, now: datetime, limit: int) -> Sequence[Errand]:
        params = {"kind": KIND, "now": to_micros(now), "limit": limit}
        return [_errand_of(row) for row in await self._db.all("due_outbox", params)]


class ErrandWrites(ErrandReads):
    # Whether this transaction has left any.
    has_errands = False

    async def insert_errand(self, errand: Errand, due_at: datetime) -> None:
        self.has_errands = True
        payload = _Payload(_NAMES[type(errand.task)], msgspec.Raw(msgspec.json.encode(errand.task)))
        params = {
            "org": errand.org,
            "id": errand.id,
            "session": errand.session,
            "kind": KIND,
            "payload": to_json(payload),
            "due_at": to_micros(due_at),
        }
        await self._db.run("insert_outbox", params)

    async def settle_errand(self, errand: Errand) -> bool:
        return bool(await self._db.run("settle_outbox", {"org": errand.org, "id": errand.id}))

    async def postpone_errand(self, errand: Errand, due_at: datetime) -> None:
        params = {"org": errand.org, "id": errand.id, "due_at": to_micros(due_at)}
        await self._db.run("fail_outbox", params)


def _errand_of(row: Row) -> Errand:
    org, id, session, payload, attempts = row
    told = _decode_payload(payload)
    task: Task = _DECODERS[told.name].decode(told.task)
    return Errand(
        org=OrgId(UUID(bytes=org)),
        id=ErrandId(UUID(bytes=id)),
        session=SessionId(UUID(bytes=session)),
        task=task,
        attempts=attempts,
    )
