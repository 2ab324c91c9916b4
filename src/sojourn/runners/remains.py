"""What sessions leave on this machine's disk: their programs' directories, which go when their session was deleted.

Whoever deletes a session need not be the process, or the machine, that has its directory. So each process looks.
"""

import asyncio
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.ids import OrgId, SessionId
from sojourn.ports import Clock, Reads

log = logging.getLogger(__name__)

SWEEP_SECONDS: Final = 60.0


async def keep_swept(directory: Path, reads: Reads, clock: Clock) -> None:
    """Until cancelled."""
    while True:
        try:
            await sweep(directory, reads, clock)
        except StoreUnavailable:
            log.warning("the store is not available; directories of deleted sessions stay for now")
        await asyncio.sleep(SWEEP_SECONDS)


async def sweep(directory: Path, reads: Reads, clock: Clock) -> None:
    """Remove `directory/ORGANISATION/SESSION` of every session that was deleted.

    Of one that the store has never heard of nothing is removed: it may be another store's.
    """
    for org, session, place in await asyncio.to_thread(_places, directory):
        found = await reads.get_tombstone(org, session)
        # One in the future is of a session in the making.
        if found is not None and found.deleted_at <= clock.now():
            log.info("removing the directory of the deleted session %s", session)
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _places(directory: Path) -> Sequence[tuple[OrgId, SessionId, Path]]:
    found: list[tuple[OrgId, SessionId, Path]] = []
    for place in directory.glob("*/*"):
        try:
            org, session = OrgId(UUID(place.parent.name)), SessionId(UUID(place.name))
        except ValueError:
            continue
        if place.is_dir() and not place.is_symlink():
            found.append((org, session, place))
    return found
