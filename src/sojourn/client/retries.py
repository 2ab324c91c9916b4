"""What is worth repeating, after which delay, and what is raised where it is not."""

import random

import httpx2

from sojourn.client.errors import ApiError, ServerUnreachable
from sojourn.client.request import Request


class Backoff:
    """Growing delays in seconds, jittered so that the clients of a restarted server do not return all at once."""

    def __init__(self, first_seconds: float = 0.1, longest_seconds: float = 5.0) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_seconds(self, advice_seconds: float | None = None) -> float:
        """The next delay; never shorter than what the server advised."""
        delay = min(self._longest_seconds, self._first_seconds * 2**self._failures)
        # The exponent stops growing long before a float could overflow.
        self._failures = min(self._failures + 1, 16)
        return max(delay * random.uniform(0.5, 1.0), advice_seconds or 0.0)


def is_passing(error: ApiError) -> bool:
    """Whether a stream is worth another attempt."""
    return error.status >= 500 or error.status in {408, 429}


def is_worth_repeating(request: Request, failure: ApiError | httpx2.TransportError) -> bool:
    if isinstance(failure, httpx2.UnsupportedProtocol):
        return False
    if isinstance(failure, httpx2.ConnectError | httpx2.ConnectTimeout):
        return True
    if isinstance(failure, ApiError):
        # 429 says that nothing was done; a 503 may come after a commit that nobody could confirm.
        return failure.status == 429 or (failure.status in {502, 503, 504} and request.repeatable)
    return request.repeatable


def as_ours(base_url: str, failure: ApiError | httpx2.TransportError) -> ApiError | ServerUnreachable:
    return failure if isinstance(failure, ApiError) else ServerUnreachable(base_url, describe(failure))


def foreign_answer(base_url: str, sign: object) -> ServerUnreachable:
    """Something else listens there: `sign` is how that showed."""
    return ServerUnreachable(base_url, f"what answers there is not Sojourn's native API ({sign})")


def describe(error: httpx2.TransportError) -> str:
    """A few words for a failed connection; httpx2 leaves many of them blank."""
    return str(error) or type(error).__name__
