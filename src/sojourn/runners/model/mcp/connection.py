"""A connection to one server of the Model Context Protocol, for as long as one claim of a turn runs.

Imports the protocol's library.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, cast

import anyio
import httpx2
from mcp import Client
from mcp.client._transport import TransportStreams
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT, CallToolResult, Implementation, Tool

from sojourn import __version__

CONNECT_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 1.0
MAX_TOOLS: Final = 256

Transports = Callable[[], AbstractAsyncContextManager[TransportStreams]]


class ServerGone(Exception):
    """The server was not reached, or is not there any more; the first argument says how that shows."""


class ServerLost(Exception):
    """It is not known whether the server did what it was asked."""


class ServerRefused(Exception):
    """The server's own words on why it did not."""


class Connection:
    """Made at the first use, and again where the server went away meanwhile."""

    def __init__(self, transport: Transports) -> None:
        self._transport = transport
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._client: asyncio.Future[Client] | None = None
        self._connecting = asyncio.Lock()

    async def tools(self) -> list[Tool]:
        """ServerGone in bounded time, or ServerRefused."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._listed(await self._connected())
        except TimeoutError:
            raise ServerGone(f"it did not answer within {CONNECT_SECONDS:g} s") from None
        except MCPError as error:
            raise ServerRefused(error.message) from None
        except (httpx2.HTTPError, OSError, RuntimeError, anyio.ClosedResourceError) as error:
            raise ServerGone(_told(error)) from None

    async def _listed(self, client: Client) -> list[Tool]:
        tools: list[Tool] = []
        cursor: str | None = None
        while True:
            page = await client.list_tools(cursor=cursor)
            tools.extend(page.tools)
            cursor = page.next_cursor
            if len(tools) > MAX_TOOLS:
                raise ServerRefused(f"It lists more than {MAX_TOOLS} tools.")
            if cursor is None:
                return tools

    async def call(self, name: str, arguments: Mapping[str, Any], seconds: float) -> CallToolResult:
        """ServerGone where nothing was asked, ServerLost where no answer came, ServerRefused."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                client = await self._connected()
        except TimeoutError:
            raise ServerGone(f"it did not answer within {CONNECT_SECONDS:g} s") from None
        try:
            async with asyncio.timeout(seconds):
                return await client.call_tool(name, dict(arguments))
        except TimeoutError:
            raise ServerLost(f"it did not answer within {seconds:g} s") from None
        except MCPError as error:
            if error.code not in (CONNECTION_CLOSED, REQUEST_TIMEOUT):
                raise ServerRefused(error.message) from None
            lost = error.message
        except (httpx2.HTTPError, OSError, RuntimeError, anyio.ClosedResourceError) as error:
            lost = _told(error)
        await self.close()
        raise ServerLost(lost)

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._task is None or self._task.done() or self._client is None:
                self._stop = asyncio.Event()
                self._client = asyncio.get_running_loop().create_future()
                self._task = asyncio.create_task(self._hold(self._client, self._stop))
            # Whoever connects may be cancelled; the connection's task is ended by close().
            await asyncio.wait({self._task, self._client}, return_when=asyncio.FIRST_COMPLETED)
            if self._client.done() and not self._task.done():
                return self._client.result()
            error = None if self._task.cancelled() else self._task.exception()
            raise ServerGone("the connection has ended" if error is None else _told(error))

    async def _hold(self, connected: asyncio.Future[Client], stop: asyncio.Event) -> None:
        """One task enters and leaves what the library opens: its cancel scopes belong to a task."""
        info = Implementation(name="sojourn", version=__version__)
        async with Client(self._transport(), client_info=info) as client:
            connected.set_result(client)
            await stop.wait()

    async def close(self) -> None:
        task, self._task, self._client = self._task, None, None
        if task is None:
            return
        self._stop.set()
        await asyncio.wait({task}, timeout=CLOSE_SECONDS)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        with suppress(asyncio.CancelledError):
            # Looked at, or the loop complains that nobody did.
            task.exception()


def _told(error: BaseException) -> str:
    """What went wrong first, of an error or of a group of them."""
    if isinstance(error, BaseExceptionGroup):
        return _told(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return str(error).strip() or type(error).__name__
