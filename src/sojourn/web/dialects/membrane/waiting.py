"""The long poll: the answer waits for the session, and not for longer than its client does."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from starlette.types import Receive

from sojourn.domain.feed import Closing, Gap
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import SessionRecord
from sojourn.service.core import Services
from sojourn.web.kit.refusals import ClientGone
from sojourn.web.kit.request import Request

T = TypeVar("T")


async def until(
    services: Services,
    record: SessionRecord,
    dialect: str,
    is_over: Callable[[SessionRecord], bool],
    seconds: float,
) -> SessionRecord:
    """The session once `is_over` holds of it, or as it is after `seconds`. The feed wakes this, no clock does."""
    org, id = record.session.org, record.session.id

    async def read() -> SessionRecord:
        return await services.sessions.get(org, id, dialect)

    if is_over(record):
        return record
    # Joined behind what was read, so that whatever happened since is told.
    source = await services.feed.follow(org, id, record.session.next_seq - 1)
    try:
        async with asyncio.timeout(seconds):
            async for item in source:
                if isinstance(item, Closing):
                    break
                if not _tells_of_state(item):
                    continue
                record = await read()
                if is_over(record):
                    return record
    except TimeoutError:
        pass
    finally:
        await source.aclose()
    return await read()


def _tells_of_state(item: object) -> bool:
    match item:
        case StoredEvent(type=type):
            return type.startswith(("turn.", "session.", "lease.", "input."))
        case Gap():
            return True
        case _:
            return False


async def unless_gone(request: Request, work: Coroutine[None, None, T]) -> T:
    """What `work` gives; ClientGone, with the work given up, if the client leaves first."""
    gone = asyncio.create_task(_disconnected(request.receive))
    task = asyncio.create_task(work)
    try:
        await asyncio.wait((gone, task), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        for one in (gone, task):
            one.cancel()
        # What was given up lets go of the session's feed before the request is over.
        await asyncio.wait((gone, task))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
