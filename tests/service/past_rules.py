"""What is made of a session's past, for the machine that sends random commands to a real store and to plain values."""

import asyncio
import io
from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import rule

from sojourn.domain import commands as c
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.ids import SessionId
from sojourn.domain.log import LogEntry
from sojourn.service.forks import NewFork
from sojourn.service.imports import NewImport
from tests.service.exported import export
from tests.service.mirror import Mirror
from tests.support.runner import RandomRunner
from tests.support.world import SOMEBODY, World

ENDS = ("turn.completed", "turn.failed", "turn.cancelled", "turn.deferred")
# A copy is seldom made: what follows is another session's story.
SELDOM = 0.15

Area = dict[str, tuple[str | None, bool]]


def area_at(log: Sequence[LogEntry], seq: int) -> Area:
    """Path to content and whether it is read-only, behind an event."""
    area: Area = {}
    for entry in log[:seq]:
        match entry.event:
            case FileWritten(path=path, sha256=sha256, readonly=readonly):
                area[path] = (sha256, readonly)
            case FileDeleted(path=path):
                area = {one: file for one, file in area.items() if not f"{one}/".startswith(f"{path}/")}
            case _:
                pass
    return area


def is_in_turn(log: Sequence[LogEntry], seq: int) -> bool:
    """Whether a turn is open behind an event."""
    changes = [entry.type for entry in log[:seq] if entry.type in ("turn.queued", *ENDS)]
    return changes[-1:] == ["turn.queued"]


class PastRules:
    world: World
    loop: asyncio.Runner
    mirror: Mirror
    random: Random
    lot: RandomRunner | None

    @rule(is_any=st.booleans())
    def rewind(self, is_any: bool) -> None:
        """To where no turn was open; another place is refused, whatever the session does."""
        mirror = self.mirror
        log = list(mirror.model.log)
        calm = [seq for seq in range(1, len(log)) if not is_in_turn(log, seq)]
        to = self.random.randint(1, len(log)) if is_any else self.random.choice(calm or [1])
        act = self.world.services.rewinds.rewind(self.world.org, mirror.id, to, SOMEBODY)
        _, refusal = mirror.attempt(act)
        if to not in calm:
            assert isinstance(refusal, InvalidRequest)
            return
        said = [entry.event for entry in mirror.stored_log(len(log))]
        changes = tuple(event for event in said if isinstance(event, FileWritten | FileDeleted))
        mirror.decide(c.RewindSession(to=to, by=SOMEBODY, changes=changes), refusal)
        if refusal is None:
            assert area_at(mirror.model.log, len(mirror.model.log)) == area_at(log, to)

    @rule()
    def fork(self) -> None:
        """At any event; the story goes on with the fork."""
        if self.random.random() > SELDOM:
            return
        mirror = self.mirror
        at = self.random.randint(1, len(mirror.model.log))
        forks = self.world.services.forks
        made = self.loop.run(forks.fork(self.world.org, mirror.id, NewFork(at=at), SOMEBODY)).value
        self._go_on_with(made.session.id, at)

    @rule()
    def export_and_import(self) -> None:
        """Whatever the session does; the story goes on with what came of it."""
        if self.random.random() > SELDOM:
            return
        at = len(self.mirror.model.log)
        self._go_on_with(self.loop.run(self._carried()), at)

    async def _carried(self) -> SessionId:
        file = io.BytesIO(b"".join(await export(self.world, self.mirror.id)))
        imports = self.world.services.imports
        checked = await imports.check(file)
        made = await imports.load(self.world.org, file, checked, NewImport(as_new=True), SOMEBODY)
        return made.value.session.id

    def _go_on_with(self, id: SessionId, shared: int) -> None:
        """Leave the session for one that shares the beginning of its log."""
        old = self.mirror
        new = Mirror.of_stored(self.world, self.loop, id)
        assert _told(new.model.log[:shared]) == _told(old.model.log[:shared])
        self.loop.run(self.world.services.sessions.delete(self.world.org, old.id, SOMEBODY))
        self.lot, self.mirror = None, new


def _told(log: Sequence[LogEntry]) -> list[tuple[object, ...]]:
    return [(entry.seq, entry.turn, entry.event) for entry in log]
