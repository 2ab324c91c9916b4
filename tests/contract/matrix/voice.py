"""What a test can ask of a dialect: the verbs that its vendor has, in the vendor's own requests."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar, Literal
from uuid import UUID

import httpx2

Verb = Literal["get", "list", "message", "read", "interrupt", "end"]


class Voice(ABC):
    """One dialect, spoken with one key. `can` are the verbs that its vendor has besides create."""

    name: ClassVar[str]
    can: ClassVar[frozenset[Verb]]

    def __init__(self, http: httpx2.AsyncClient, key: str) -> None:
        self._http = http
        self._key = key

    @abstractmethod
    async def create(self) -> UUID: ...

    async def word(self, id: UUID) -> str | None:
        """The state that is shown of a session, None where the session is not to be found."""
        raise NotImplementedError

    async def facet(self, id: UUID) -> dict[str, Any]:
        """The vendor's own fields of a session."""
        raise NotImplementedError

    async def listed(self) -> Collection[UUID]:
        raise NotImplementedError

    async def message(self, id: UUID, text: str) -> None:
        raise NotImplementedError

    async def said(self, id: UUID) -> list[str]:
        """The texts of the session's messages."""
        raise NotImplementedError

    async def interrupt(self, id: UUID) -> None:
        raise NotImplementedError

    async def end(self, id: UUID) -> None:
        raise NotImplementedError


def ok(answer: httpx2.Response) -> Any:
    """The body of an answer that is a success."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None


def found(answer: httpx2.Response) -> Any:
    """The body of what was found, None where nothing was."""
    return None if answer.status_code == 404 else ok(answer)
