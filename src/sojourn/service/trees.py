"""Trees: a session, those that it has started, and those that they have."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sojourn.domain.content import Usage, total
from sojourn.domain.errors import NotFound
from sojourn.domain.filter import Compare, OneOf, Position, SessionQuery
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import SessionRecord
from sojourn.ports import Reads

# Parents that one query names, and children that one brings.
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Tree:
    """`nodes` begin with the session that was asked for, and each stands before its children, the oldest first.

    `usage` is what the nodes have used together. `is_whole` is False where there are more than were asked for.
    """

    nodes: Sequence[SessionRecord]
    usage: Usage
    is_whole: bool


class Trees:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def get(self, org: OrgId, session: SessionId, limit: int) -> Tree:
        """The part of a tree at and below a session, the levels nearest to it first, `limit` sessions at most."""
        top = await self._reads.get_session(org, session)
        if top is None:
            raise NotFound("session", session)
        found, level = [top], [top]
        while level and len(found) <= limit:
            level = await self._below(org, level, limit + 1 - len(found))
            found.extend(level)
        nodes = found[:limit]
        ordered = list(_preorder(nodes))
        return Tree(ordered, total([node.usage for node in nodes]), is_whole=len(found) <= limit)

    async def _below(self, org: OrgId, level: Sequence[SessionRecord], limit: int) -> list[SessionRecord]:
        parents = [record.session.id for record in level if record.session.kin.children]
        found: list[SessionRecord] = []
        for start in range(0, len(parents), AT_ONCE):
            where = OneOf("parent", tuple(parents[start : start + AT_ONCE]))
            query = SessionQuery(where=where, order="asc", limit=limit - len(found))
            found.extend(await self._reads.list_sessions(org, query))
            if len(found) >= limit:
                break
        return found


async def children_of(reads: Reads, org: OrgId, parent: SessionId) -> Sequence[SessionRecord]:
    """Those that a session has started, the oldest first."""
    found: list[SessionRecord] = []
    query = SessionQuery(where=Compare("parent", "eq", parent), order="asc", limit=AT_ONCE)
    while page := await reads.list_sessions(org, query):
        found.extend(page)
        last = page[-1].session
        query = replace(query, after=Position(last.created_at, last.id))
    return found


def _preorder(nodes: Sequence[SessionRecord]) -> Iterator[SessionRecord]:
    below: dict[SessionId | None, list[SessionRecord]] = defaultdict(list)
    for record in nodes[1:]:
        below[record.session.kin.parent].append(record)
    rest = [nodes[0]]
    while rest:
        record = rest.pop()
        yield record
        rest.extend(reversed(below[record.session.id]))
