"""The one place where an exception becomes an answer; each surface gives it a table and a shape."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from sojourn.domain.errors import DomainError, InvalidRequest, LimitExceeded, StoreUnavailable
from sojourn.web.kit.refusals import BadRequest, MethodNotAllowed, RequestRefused
from sojourn.web.kit.response import Header, Response

STORE_RETRY_SECONDS: Final = 1
LIMIT_RETRY_SECONDS: Final = 1
OPAQUE: Final = "The server failed; its log says more under this request id."


class Problem(msgspec.Struct, frozen=True):
    """A refusal, ready to be put in a surface's own shape.

    `code` is the error's own; `error` is the exception, for surfaces that say more than a sentence.
    `headers` are those that HTTP itself asks for: Allow, Retry-After. `path` is the one that was asked for.
    """

    status: int
    code: str
    detail: str
    request_id: str
    field: str | None = None
    headers: tuple[Header, ...] = ()
    error: Exception | None = None
    path: str = ""


class Problems:
    """A surface's translator of errors.

    `statuses` gives the HTTP status for the `code` of every DomainError and RequestRefused, and for `internal`.
    """

    def __init__(self, statuses: Mapping[str, int], render: Callable[[Problem], Response]) -> None:
        self._statuses = statuses
        self._render = render

    def answer(self, error: Exception, request_id: str, path: str = "") -> Response:
        return self._render(self.describe(error, request_id, path))

    def describe(self, error: Exception, request_id: str, path: str = "") -> Problem:
        """An error that nobody foresaw is opaque here; its catcher has logged it under the same request id."""
        if not isinstance(error, DomainError | RequestRefused):
            return Problem(self._statuses["internal"], "internal", OPAQUE, request_id, error=error, path=path)
        return Problem(
            status=self._statuses[error.code],
            code=error.code,
            detail=str(error),
            request_id=request_id,
            field=error.field if isinstance(error, InvalidRequest | BadRequest) else None,
            headers=_headers(error),
            error=error,
            path=path,
        )


def _headers(error: DomainError | RequestRefused) -> tuple[Header, ...]:
    match error:
        case MethodNotAllowed():
            return ((b"allow", error.allowed.encode()),)
        case LimitExceeded():
            return (_retry_after(error.retry_after_seconds or LIMIT_RETRY_SECONDS),)
        case StoreUnavailable():
            return (_retry_after(STORE_RETRY_SECONDS),)
        case _:
            return ()


def _retry_after(seconds: float) -> Header:
    return (b"retry-after", b"%d" % math.ceil(seconds))
