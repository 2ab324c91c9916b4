"""Membrane's errors. The SDK goes by `type` alone and makes its own errors of the known ones only, so each answer that

is no success says one of them, whatever its status.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET

from sojourn.domain.errors import NotFound
from sojourn.web.dialects.membrane import wire
from sojourn.web.kit.problems import Problem, Problems
from sojourn.web.kit.response import Response, json_response

STATUSES: Final[Mapping[str, int]] = {
    "bad_request": 400,
    "invalid_request": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_path": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "already_exists": 409,
    "wrong_state": 409,
    "sequence_mismatch": 409,
    "idempotency_mismatch": 409,
    "lease_lost": 409,
    "revision_mismatch": 409,
    "content_mismatch": 409,
    "body_too_large": 413,
    "limit_exceeded": 429,
    "internal": 500,
    "store_unavailable": 503,
}

_TYPES: Final[Mapping[str, wire.ErrorType]] = {
    "lease_lost": "concurrency",
    "revision_mismatch": "concurrency",
    "content_mismatch": "concurrency",
    "sequence_mismatch": "concurrency",
    "internal": "internal",
    "store_unavailable": "internal",
}

_KEYS: Final[Mapping[str, str]] = {
    "unauthenticated": "not_authenticated",
    "forbidden": "access_denied",
    "not_found": "not_found",
    "unknown_path": "not_found",
    "already_exists": "already_exists",
    "limit_exceeded": "rate_limit_exceeded",
}


def render(problem: Problem) -> Response:
    return json_response(body(problem), problem.status, *problem.headers)


def body(problem: Problem) -> wire.ErrorData:
    return wire.ErrorData(
        type=_TYPES.get(problem.code, "bad_request"),
        key=_KEYS.get(problem.code, UNSET),
        message=_message(problem),
        data=_data(problem),
    )


def _message(problem: Problem) -> str:
    error = problem.error
    if isinstance(error, NotFound) and error.kind in ("session", "agent session"):
        id = error.id if isinstance(error.id, str) else getattr(error.id, "hex", error.id)
        return f"Agent session with id '{id}' not found"
    return problem.detail


def _data(problem: Problem) -> Any:
    if problem.code in ("internal", "store_unavailable"):
        return {"errorId": problem.request_id}
    if problem.field is None:
        return UNSET
    message = problem.detail.removeprefix(f"{problem.field}: ")
    return {"issues": [{"path": problem.field.split("."), "code": "custom", "message": message}]}


PROBLEMS: Final = Problems(STATUSES, render)
