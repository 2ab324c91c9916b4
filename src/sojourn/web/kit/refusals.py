"""What can be wrong with a request before it means anything to the service.

RequestRefused
├── BadRequest
├── UnknownPath
├── MethodNotAllowed
└── BodyTooLarge

A request that can be read but says something impossible is the domain's `InvalidRequest`.
"""

from collections.abc import Iterable
from typing import ClassVar


class RequestRefused(Exception):
    """A refusal that the web decides itself; the first argument is its one sentence."""

    code: ClassVar[str] = "request_refused"


class BadRequest(RequestRefused):
    """The body, the query or a header cannot be read. `field` names the part, None for the body."""

    code: ClassVar[str] = "bad_request"

    def __init__(self, problem: str, field: str | None = None) -> None:
        super().__init__(problem if field is None else f"{field}: {problem}")
        self.field = field


class UnknownPath(RequestRefused):
    code: ClassVar[str] = "unknown_path"

    def __init__(self) -> None:
        super().__init__("There is nothing at this path.")


class MethodNotAllowed(RequestRefused):
    code: ClassVar[str] = "method_not_allowed"

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(f"{method} is not allowed here; allowed: {self.allowed}.")


class BodyTooLarge(RequestRefused):
    """`limit` is in bytes."""

    code: ClassVar[str] = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.")
        self.limit = limit


class ClientGone(Exception):
    """The client closed the connection before its request was complete: there is nobody to answer."""
