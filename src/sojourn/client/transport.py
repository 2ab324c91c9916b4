"""One request, repeated until it is answered: connections, credentials, retries and their limits."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import msgspec

from sojourn.client.errors import ApiError, ServerUnreachable, error_of

T = TypeVar("T")

API: Final = "/sojourn/v1"

_CONNECT_SECONDS: Final = 5.0
# Three of the server's heartbeats: a stream that is silent for longer is dead, whatever TCP believes.
_SILENCE_SECONDS: Final = 30.0

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """A call to be made. `body` is encoded as JSON, `content` is sent as it is, and so is
    what `stream` gives for each try.

    `repeatable` says that carrying it out twice leaves what once leaves, and answers the same.
    """

    method: str
    path: str
    params: Params = ()
    body: object = None
    headers: Mapping[str, str] | None = None
    repeatable: bool = True
    content: bytes | None = None
    stream: Callable[[], AsyncIterator[bytes]] | None = None


def post(path: str, body: object = None, idempotency_key: str | None = None) -> Request:
    """A POST is safe to repeat because every try carries the same key."""
    return Request("POST", path, (), body, {"Idempotency-Key": idempotency_key or uuid4().hex})


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


class Transport:
    """The connections to one server with one key."""

    def __init__(
        self, base_url: str, key: str, *, timeout_seconds: float, give_up_after_seconds: float
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._give_up_after_seconds = give_up_after_seconds
        self._http = httpx2.AsyncClient(
            base_url=self.base_url + API,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx2.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            # A stream holds its connection for as long as it lasts, and calls must not queue behind streams.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            # A proxy of the environment is never the way to this machine itself.
            trust_env=not _is_loopback(self.base_url),
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def fetch(self, request: Request, answer: type[T]) -> T:
        """The answer's body, decoded. Raises ApiError or ServerUnreachable once repeating is useless or too late."""
        response = await self._repeat(request)
        try:
            return msgspec.json.decode(response.content, type=answer)
        except msgspec.DecodeError as error:
            raise foreign_answer(self.base_url, error) from error

    async def read(self, request: Request) -> bytes:
        """As `fetch`, for an answer that is no JSON."""
        return (await self._repeat(request)).content

    async def perform(self, request: Request) -> None:
        """As `fetch`, for calls that answer 204."""
        await self._repeat(request)

    @asynccontextmanager
    async def open_stream(self, path: str, params: Params) -> AsyncGenerator[httpx2.Response, None]:
        """One try to open a stream of events. Raises ApiError unless the server answers 200; httpx2.TransportError."""
        timeout = httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        # Compressed, a proxy would hold small events back until a block is full.
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        async with self._http.stream(
            "GET", path, params=list(params), headers=headers, timeout=timeout
        ) as response:
            if response.status_code != 200:
                raise error_of(response.status_code, await response.aread(), response.headers)
            content_type = response.headers.get("content-type", "none")
            if not content_type.startswith("text/event-stream"):
                raise foreign_answer(self.base_url, f"content type {content_type}")
            yield response

    async def download(self, path: str, params: Params) -> AsyncGenerator[bytes, None]:
        """The body as it comes, from one try. Raises ApiError, or ServerUnreachable where it breaks off."""
        try:
            async with self._http.stream("GET", path, params=list(params)) as response:
                if response.status_code != 200:
                    raise error_of(response.status_code, await response.aread(), response.headers)
                async for chunk in response.aiter_bytes():
                    yield chunk
        except httpx2.TransportError as error:
            raise _as_ours(self.base_url, error) from error

    async def _repeat(self, request: Request) -> httpx2.Response:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._give_up_after_seconds
        backoff = Backoff()
        while True:
            failure = await self._try(request)
            if isinstance(failure, httpx2.Response):
                return failure
            advice = failure.retry_after_seconds if isinstance(failure, ApiError) else None
            delay = backoff.next_seconds(advice)
            if not _is_worth_repeating(request, failure) or loop.time() + delay > give_up_at:
                raise _as_ours(self.base_url, failure) from failure
            await asyncio.sleep(delay)

    async def _try(self, request: Request) -> httpx2.Response | ApiError | httpx2.TransportError:
        content = request.content if request.stream is None else request.stream()
        headers = dict(request.headers or {})
        if request.body is not None:
            content = msgspec.json.encode(request.body)
            headers["Content-Type"] = "application/json"
        try:
            response = await self._http.request(
                request.method, request.path, params=list(request.params), content=content, headers=headers
            )
        except httpx2.TransportError as error:
            return error
        if response.is_success:
            return response
        return error_of(response.status_code, response.content, response.headers)


def _is_worth_repeating(request: Request, failure: ApiError | httpx2.TransportError) -> bool:
    if isinstance(failure, httpx2.UnsupportedProtocol):
        return False
    if isinstance(failure, httpx2.ConnectError | httpx2.ConnectTimeout):
        return True
    if isinstance(failure, ApiError):
        # 429 says that nothing was done; a 503 may come after a commit that nobody could confirm.
        return failure.status == 429 or (failure.status in {502, 503, 504} and request.repeatable)
    return request.repeatable


def _as_ours(base_url: str, failure: ApiError | httpx2.TransportError) -> ApiError | ServerUnreachable:
    return failure if isinstance(failure, ApiError) else ServerUnreachable(base_url, describe(failure))


def foreign_answer(base_url: str, sign: object) -> ServerUnreachable:
    """Something else listens there: `sign` is how that showed."""
    return ServerUnreachable(base_url, f"what answers there is not Sojourn's native API ({sign})")


def describe(error: httpx2.TransportError) -> str:
    """A few words for a failed connection; httpx2 leaves many of them blank."""
    return str(error) or type(error).__name__


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
