"""What a call can raise.

SojournError
├── ServerUnreachable
├── InputWithdrawn
└── ApiError
    ├── InvalidRequest
    ├── Unauthenticated
    ├── Forbidden
    ├── NotFound
    ├── Conflict
    │   ├── LeaseLost
    │   │   └── CallRefused
    │   ├── RevisionMismatch
    │   └── ContentMismatch
    ├── LimitExceeded
    └── ServerFailed
        └── Unavailable
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec


class SojournError(Exception):
    """Everything that this client raises on its own; the first argument is one sentence."""


class ServerUnreachable(SojournError):
    """No answer came within the time that the caller allowed. Whether the server acted is not known."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f"{url} does not answer: {cause}.")
        self.url = url
        self.cause = cause


class InputWithdrawn(SojournError):
    """The input whose answer was awaited was taken back before a turn read it."""

    def __init__(self, input: UUID) -> None:
        super().__init__(f"The input {input} was withdrawn before it was delivered.")
        self.input = input


class ApiError(SojournError):
    """The server refused, or failed. `field` names the offending field of the request, where one is to blame.

    `code` is the problem's stable word (RFC 9457 body, member `code`), or `unknown` where the answer is not Sojourn's.
    """

    def __init__(self, status: int, problem: "Problem", retry_after_seconds: float | None = None) -> None:
        super().__init__(problem.detail)
        self.status = status
        self.code = problem.code
        self.detail = problem.detail
        self.request_id = problem.request_id
        self.field = problem.field
        self.retry_after_seconds = retry_after_seconds


class InvalidRequest(ApiError):
    """400, 413, 415 or 422: repeating it as it stands will not help."""


class Unauthenticated(ApiError):
    """401."""


class Forbidden(ApiError):
    """403."""


class NotFound(ApiError):
    """404, and 410: of another organisation, deleted, or never there."""


class Conflict(ApiError):
    """409: the state of things does not allow it; `code` says which part."""


class LeaseLost(Conflict):
    """409: the turn is not this worker's any more. What was begun for it is dropped."""


class CallRefused(LeaseLost):
    """409: a budget allows no further call. What was reported is stored, and the turn has ended or waits."""


class RevisionMismatch(Conflict):
    """412: the record has changed since it was read."""


class ContentMismatch(Conflict):
    """412: what is there is not what was read."""


class LimitExceeded(ApiError):
    """429, after the retries."""


class ServerFailed(ApiError):
    """5xx."""


class Unavailable(ServerFailed):
    """502, 503 or 504, after the retries."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The members of an `application/problem+json` body that are read here."""

    detail: str
    code: str = "unknown"
    request_id: str | None = None
    field: str | None = None


_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    400: InvalidRequest,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    410: NotFound,
    409: Conflict,
    412: RevisionMismatch,
    429: LimitExceeded,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


_BY_CODE: Final[Mapping[str, type[ApiError]]] = {
    "lease_lost": LeaseLost,
    "call_refused": CallRefused,
    "content_mismatch": ContentMismatch,
}


def error_of(status: int, body: bytes, headers: Mapping[str, str]) -> ApiError:
    """The error that an answer stands for. A body that is no problem document is quoted, briefly."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        excerpt = " ".join(body[:200].decode(errors="replace").split())
        problem = Problem(detail=f"HTTP {status}: {excerpt}", request_id=headers.get("x-request-id"))
    fallback = ServerFailed if status >= 500 else ApiError
    kind = _BY_CODE.get(problem.code) or _BY_STATUS.get(status, fallback)
    return kind(status, problem, _seconds(headers.get("retry-after")))


def _seconds(retry_after: str | None) -> float | None:
    """The delay of a Retry-After header. A date, which Sojourn never sends, counts as no advice."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
