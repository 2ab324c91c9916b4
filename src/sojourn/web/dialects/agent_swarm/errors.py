"""agent-swarm's errors: one sentence under `error`, and plain text where there is nothing to call."""

from collections.abc import Mapping
from typing import Final

from sojourn.web.dialects.agent_swarm import wire
from sojourn.web.kit.problems import Problem, Problems
from sojourn.web.kit.response import Response, json_response

STATUSES: Final[Mapping[str, int]] = {
    "bad_request": 400,
    "invalid_request": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_path": 404,
    # A wrong method on a known path is as unknown as a path; there is no 405.
    "method_not_allowed": 404,
    "conflict": 409,
    "already_exists": 409,
    "wrong_state": 409,
    "revision_mismatch": 409,
    "content_mismatch": 409,
    "sequence_mismatch": 409,
    "idempotency_mismatch": 409,
    "lease_lost": 409,
    "call_refused": 409,
    "body_too_large": 413,
    "limit_exceeded": 429,
    "internal": 500,
    "store_unavailable": 503,
}

_NO_CALL: Final = frozenset({"unknown_path", "method_not_allowed"})


def render(problem: Problem) -> Response:
    if problem.code in _NO_CALL:
        return Response(404, b"Not Found", None)
    sentence = "Unauthorized" if problem.code == "unauthenticated" else problem.detail
    return json_response(wire.Error(sentence), problem.status, *problem.headers)


PROBLEMS: Final = Problems(STATUSES, render)
