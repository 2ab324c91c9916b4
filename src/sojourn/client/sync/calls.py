# Made from src/sojourn/client/calls.py by scripts/twin; change that one.
"""What every call of the client needs: its connections, and lists page by page."""

from collections.abc import Generator
from types import TracebackType
from typing import Self, TypeVar

from sojourn.client.request import Params, Request, optional
from sojourn.client.sync.transport import Transport
from sojourn.client.types import Page

T = TypeVar("T")


class Calls:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def _all(self, path: str, params: Params, page: type[Page[T]]) -> Generator[T, None]:
        """Every item of a list, a page at a time as they are wanted."""
        cursor: str | None = None
        while True:
            request = Request("GET", path, [*params, *optional("cursor", cursor)])
            got = self._transport.fetch(request, page)
            yield from got.data
            cursor = got.next_cursor
            if cursor is None:
                return
