"""The native API's errors: RFC 9457 problems."""

from collections.abc import Mapping
from typing import Final

import msgspec

from sojourn.web.kit.problems import Problem, Problems
from sojourn.web.kit.response import Response
from sojourn.web.native import wire

PROBLEM_JSON: Final = b"application/problem+json"

# Code of the error → status, code on the wire, title.
TABLE: Final[Mapping[str, tuple[int, str, str]]] = {
    "bad_request": (400, "invalid_request", "The request cannot be read"),
    "unauthenticated": (401, "unauthenticated", "A valid key is needed"),
    "forbidden": (403, "forbidden", "The key does not allow this"),
    "not_found": (404, "not_found", "Not found"),
    "unknown_path": (404, "not_found", "Not found"),
    "method_not_allowed": (405, "method_not_allowed", "Method not allowed"),
    "conflict": (409, "conflict", "Conflict"),
    "already_exists": (409, "already_exists", "Already exists"),
    "wrong_state": (409, "wrong_state", "Not possible in this state"),
    "sequence_mismatch": (409, "sequence_mismatch", "Something happened since"),
    "idempotency_mismatch": (409, "idempotency_mismatch", "Another request has this idempotency key"),
    "lease_lost": (409, "lease_lost", "The lease is lost"),
    "call_refused": (409, "call_refused", "A budget allows no further call"),
    "revision_mismatch": (412, "revision_mismatch", "The record has changed"),
    "content_mismatch": (412, "content_mismatch", "The content has changed"),
    "body_too_large": (413, "body_too_large", "The body is too large"),
    "invalid_request": (422, "invalid_request", "A value is not acceptable"),
    "limit_exceeded": (429, "limit_exceeded", "A limit is reached"),
    "internal": (500, "internal", "The server failed"),
    "store_unavailable": (503, "store_unavailable", "The store is not available"),
}


def document(problem: Problem) -> wire.Problem:
    status, code, title = TABLE[problem.code]
    return wire.Problem(
        type=f"urn:sojourn:problem:{code}",
        title=title,
        status=status,
        detail=problem.detail,
        code=code,
        request_id=problem.request_id,
        field=problem.field,
    )


def render(problem: Problem) -> Response:
    headers = problem.headers
    if problem.status == 401:
        headers = (*headers, (b"www-authenticate", b"Bearer"))
    return Response(problem.status, msgspec.json.encode(document(problem)), PROBLEM_JSON, headers)


PROBLEMS: Final = Problems({code: status for code, (status, _, _) in TABLE.items()}, render)
