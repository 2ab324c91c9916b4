"""Waiting for an answer that may take as long as a turn, for a client that may not wait as long."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from sojourn.web.kit.refusals import ClientGone
from sojourn.web.kit.request import Request

T = TypeVar("T")


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; ClientGone, and `work` is cancelled, if the client goes before that.

    The body of the request has been read: what the server says next is that the client has gone.
    """
    working, watching = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        watching.result()
        raise ClientGone
    finally:
        working.cancel()
        watching.cancel()
        # What the work holds is let go before anybody goes on.
        await asyncio.gather(working, watching, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
