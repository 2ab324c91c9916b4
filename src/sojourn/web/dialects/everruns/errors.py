"""Everruns' errors: an RFC 9457 problem that also holds `error: {code, message}`.

The shipped client reads only `error`, and the vendor's server sends only the problem; a reader of either finds here
what it looks for.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.errors import LimitExceeded, NotFound, StoreUnavailable
from sojourn.web.dialects.everruns import ids, wire
from sojourn.web.kit.problems import LIMIT_RETRY_SECONDS, STORE_RETRY_SECONDS, Problem, Problems
from sojourn.web.kit.refusals import BadRequest, RequestRefused
from sojourn.web.kit.response import Response

PROBLEM_JSON: Final = b"application/problem+json"

STATUSES: Final[Mapping[str, int]] = {
    "bad_request": 400,
    "invalid_request": 400,
    "invalid_change_reason": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_path": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "already_exists": 409,
    "wrong_state": 409,
    "not_waiting": 409,
    "sequence_mismatch": 409,
    "revision_mismatch": 409,
    "content_mismatch": 409,
    "lease_lost": 409,
    "call_refused": 409,
    "workspaces_not_supported": 400,
    "workspace_of_session": 409,
    "file_readonly": 403,
    "budget_subject_not_supported": 400,
    "budget_period_not_supported": 400,
    "nothing_pending": 404,
    "already_resolved": 409,
    "agent_unavailable": 403,
    "runtime_tokens_unavailable": 403,
    "body_too_large": 413,
    "idempotency_mismatch": 422,
    "limit_exceeded": 429,
    "internal": 500,
    "store_unavailable": 503,
}

# The vendor's own codes where it has one.
_CODES: Final[Mapping[str, str]] = {
    "unauthenticated": "unauthorized",
    "idempotency_mismatch": "idempotency_key_reused",
    "limit_exceeded": "rate_limited",
    "internal": "internal_error",
}
_PREFIXES: Final[Mapping[str, ids.Prefix]] = {
    "session": "session",
    "agent": "agent",
    "harness": "harness",
    "model": "model",
    "input": "message",
    "message": "message",
    "budget": "bdgt",
    "workspace": "wsp",
}


class NotWaiting(RequestRefused):
    """The shipped client tries again for a while when it reads the first six words of this sentence."""

    code: ClassVar[str] = "not_waiting"

    def __init__(self, status: str) -> None:
        super().__init__(f"Session is not waiting for tool results (current status: {status})")


class InvalidChangeReason(BadRequest):
    code: ClassVar[str] = "invalid_change_reason"

    def __init__(self, problem: str) -> None:
        super().__init__(problem, "Everruns-Change-Reason")


def render(problem: Problem) -> Response:
    return Response(problem.status, msgspec.json.encode(body(problem)), PROBLEM_JSON, problem.headers)


def body(problem: Problem) -> wire.Problem:
    code = _CODES.get(problem.code, problem.code)
    title, detail = HTTPStatus(problem.status).phrase, problem.detail
    if isinstance(problem.error, NotFound):
        # Where only a part of something is missing, as in "version 3 of agent", its last word says of what.
        kind = problem.error.kind
        code = f"{kind.split()[-1]}_not_found"
        title = f"{kind.capitalize()} not found"
        detail = f"{title}: {_shown(problem.error)}"
    return wire.Problem(
        title=title,
        status=problem.status,
        code=code,
        detail=detail,
        instance=problem.path,
        request_id=problem.request_id,
        error=wire.ErrorDetail(code, detail),
        retry_after_seconds=_retry_after(problem.error),
    )


def _shown(error: NotFound) -> str:
    prefix = _PREFIXES.get(error.kind)
    return ids.text(prefix, error.id) if prefix and isinstance(error.id, UUID) else str(error.id)[:200]


def _retry_after(error: Exception | None) -> float | msgspec.UnsetType:
    match error:
        case LimitExceeded():
            return error.retry_after_seconds or LIMIT_RETRY_SECONDS
        case StoreUnavailable():
            return STORE_RETRY_SECONDS
        case _:
            return UNSET


PROBLEMS: Final = Problems(STATUSES, render)
