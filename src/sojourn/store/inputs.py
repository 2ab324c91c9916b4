"""The reading verbs of inputs, over either driver."""

from collections.abc import Sequence

from sojourn.domain.ids import InputId, OrgId, SessionId, TurnId
from sojourn.domain.input import Input, InputStatus
from sojourn.store import rows
from sojourn.store.db import Db


class InputReads:
    _db: Db

    async def get_input(self, org: OrgId, session: SessionId, input: InputId) -> Input | None:
        row = await self._db.one("get_input", {"org": org, "session": session, "id": input})
        return None if row is None else rows.input_of(row)

    async def input_of_turn(self, org: OrgId, session: SessionId, turn: TurnId) -> Input | None:
        row = await self._db.one("input_of_turn", {"org": org, "session": session, "turn": turn})
        return None if row is None else rows.input_of(row)

    async def list_inputs(
        self, org: OrgId, session: SessionId, status: InputStatus | None, after: int, limit: int
    ) -> Sequence[Input]:
        name = "list_inputs" if status is None else "list_inputs_by_status"
        params = {"org": org, "session": session, "after": after, "limit": limit, "status": status}
        if status is None:
            del params["status"]
        return [rows.input_of(row) for row in await self._db.all(name, params)]

    async def list_queue(
        self, org: OrgId, session: SessionId, after: tuple[int, int] | None, limit: int
    ) -> Sequence[Input]:
        priority, rank = after or (-1, 0)
        params = {"org": org, "session": session, "priority": priority, "rank": rank, "limit": limit}
        return [rows.input_of(row) for row in await self._db.all("list_queue", params)]
