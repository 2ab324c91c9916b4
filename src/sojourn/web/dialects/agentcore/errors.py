"""The runtime's errors: rest-json, with the exception's name in a header.

Exceptions are those of the vendor's model, so that its clients raise them by their own types.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from sojourn.domain.errors import DomainError
from sojourn.web.dialects.agentcore import outbound, wire
from sojourn.web.kit.problems import Problem, Problems
from sojourn.web.kit.refusals import RequestRefused
from sojourn.web.kit.response import Response

VALIDATION: Final = "ValidationException"

# The status and the exception of each code.
EXCEPTIONS: Final[Mapping[str, tuple[int, str]]] = {
    "bad_request": (400, VALIDATION),
    "invalid_request": (400, VALIDATION),
    "idempotency_mismatch": (400, VALIDATION),
    "unauthenticated": (401, "UnauthorizedException"),
    "forbidden": (403, "AccessDeniedException"),
    "not_found": (404, "ResourceNotFoundException"),
    "unknown_path": (404, "ResourceNotFoundException"),
    "not_offered": (404, "ResourceNotFoundException"),
    "method_not_allowed": (405, VALIDATION),
    "conflict": (409, "ConflictException"),
    "already_exists": (409, "ConflictException"),
    "wrong_state": (409, "ConflictException"),
    "sequence_mismatch": (409, "ConflictException"),
    "revision_mismatch": (409, "ConflictException"),
    "content_mismatch": (409, "ConflictException"),
    "lease_lost": (409, "RetryableConflictException"),
    "body_too_large": (413, VALIDATION),
    "turn_not_completed": (424, "RuntimeClientError"),
    "limit_exceeded": (429, "ThrottlingException"),
    "internal": (500, "InternalServerException"),
    "store_unavailable": (500, "InternalServerException"),
    "server_stops": (500, "InternalServerException"),
}
# Of the vendor's reasons for a ValidationException, the one of each code; any other code is about its parse.
REASONS: Final[Mapping[str, str]] = {
    "invalid_request": "FieldValidationFailed",
    "idempotency_mismatch": "IdempotentParameterMismatchException",
}


def render(problem: Problem) -> Response:
    exception = EXCEPTIONS[problem.code][1]
    failure = wire.Failure(problem.detail)
    if exception == VALIDATION:
        failure.reason = _reason(problem)
        if problem.field is not None:
            failure.field_list = [
                wire.Field(problem.field, problem.detail.removeprefix(f"{problem.field}: "))
            ]
    headers = (*problem.headers, request_id(problem.request_id), (b"x-amzn-errortype", exception.encode()))
    return Response(problem.status, msgspec.json.encode(failure), headers=headers)


def _reason(problem: Problem) -> str:
    return REASONS.get(problem.code, "CannotParse" if problem.field is None else "FieldValidationFailed")


def request_id(id: str) -> tuple[bytes, bytes]:
    return b"x-amzn-requestid", id.encode()


PROBLEMS: Final = Problems({code: status for code, (status, _) in EXCEPTIONS.items()}, render)


def told(error: DomainError | RequestRefused) -> wire.StreamFailure:
    """An error as the last line of a stream."""
    return wire.StreamFailure(str(error), EXCEPTIONS[error.code][1])


def stream_failure(error: Exception, request_id: str) -> bytes:
    """The line that ends a stream with which something went wrong that nobody foresaw."""
    problem = PROBLEMS.describe(error, request_id)
    return outbound.line(wire.StreamFailure(problem.detail, EXCEPTIONS[problem.code][1]))
