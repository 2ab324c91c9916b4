"""What every call of the client needs: its connections, and lists page by page."""

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self, TypeVar

from sojourn.client.request import Params, Request, optional
from sojourn.client.transport import Transport
from sojourn.client.types import Page

T = TypeVar("T")


class Calls:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _all(self, path: str, params: Params, page: type[Page[T]]) -> AsyncGenerator[T, None]:
        """Every item of a list, a page at a time as they are wanted."""
        cursor: str | None = None
        while True:
            request = Request("GET", path, [*params, *optional("cursor", cursor)])
            got = await self._transport.fetch(request, page)
            for item in got.data:
                yield item
            cursor = got.next_cursor
            if cursor is None:
                return
