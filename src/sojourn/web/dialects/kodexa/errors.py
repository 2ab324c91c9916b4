"""Kodexa's errors: Spring's error body.

The shipped client knows only the statuses 400, 401, 403, 404, 405, 409, 422, 500 and 502 to 504, and takes any other
for a success; so 503 stands where 429 would.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import UNSET

from sojourn.web.dialects.kodexa import wire
from sojourn.web.kit.instants import milliseconds
from sojourn.web.kit.problems import Problem, Problems
from sojourn.web.kit.response import Response

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
    "call_refused": 409,
    "revision_mismatch": 409,
    "content_mismatch": 409,
    "body_too_large": 413,
    "internal": 500,
    "limit_exceeded": 503,
    "store_unavailable": 503,
}


def render(problem: Problem) -> Response:
    failure = wire.Failure(
        timestamp=milliseconds(datetime.now(UTC)),
        status=problem.status,
        error=HTTPStatus(problem.status).phrase,
        message=problem.detail,
        path=problem.path,
        request_id=problem.request_id,
        errors=UNSET if problem.field is None else {problem.field: _about(problem.field, problem.detail)},
    )
    return Response(problem.status, msgspec.json.encode(failure), headers=problem.headers)


def _about(field: str, detail: str) -> str:
    """What is wrong, without the name that the map gives it anyway."""
    return detail.removeprefix(f"{field}: ")


PROBLEMS: Final = Problems(STATUSES, render)
