"""Exports of sessions, read back."""

from sojourn.domain.export import ExportedEvent
from sojourn.domain.ids import SessionId
from sojourn.domain.verifier import Line, Verifier
from tests.support.world import World


async def export(world: World, session: SessionId, has_files: bool = True) -> list[bytes]:
    return [line async for line in await world.services.exports.open(world.org, session, has_files)]


def read(lines: list[bytes]) -> tuple[Verifier, list[Line]]:
    """What a sound export says."""
    verifier = Verifier()
    taken = [verifier.take(line) for line in lines]
    verifier.end()
    return verifier, taken


async def events(world: World, session: SessionId) -> list[ExportedEvent]:
    return [line for line in read(await export(world, session))[1] if isinstance(line, ExportedEvent)]
