"""The directories of sessions' programs go with their sessions, and no others."""

import asyncio
from pathlib import Path

from sojourn.config import Settings
from sojourn.domain.ids import DEFAULT_ORG, SessionId, uuid7
from sojourn.service.sessions import NewSession
from sojourn.wiring import open_services
from tests.support.world import SOMEBODY

BOUND_SECONDS = 20.0


async def test_the_directory_of_a_deleted_session_is_removed_and_no_other(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, worker_capacity=0)
    programs = tmp_path / "programs" / str(DEFAULT_ORG)
    async with open_services(settings) as running:
        sessions = running.services.sessions
        made = [
            (await sessions.create(DEFAULT_ORG, NewSession(), SOMEBODY)).value.session.id for _ in range(2)
        ]
        deleted, kept = made
        await sessions.delete(DEFAULT_ORG, deleted, SOMEBODY)
    strangers = [str(SessionId(uuid7())), "notes"]
    for name in (str(deleted), str(kept), *strangers):
        (programs / name / "src").mkdir(parents=True)
    async with open_services(settings) as running, asyncio.timeout(BOUND_SECONDS):
        while (programs / str(deleted)).exists():
            # With the process at work in between.
            await running.services.sessions.get(DEFAULT_ORG, kept)
    assert {place.name for place in programs.iterdir()} == {str(kept), *strangers}
