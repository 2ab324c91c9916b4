"""One request, repeated until it is answered: connections, credentials, retries and their limits."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from time import monotonic
from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from sojourn.client.errors import ApiError, error_of
from sojourn.client.request import Params, Request
from sojourn.client.retries import Backoff, as_ours, foreign_answer, is_worth_repeating
from sojourn.client.waits import pause

T = TypeVar("T")

# What a long body is read from, anew for each try.
Content = Callable[[], AsyncIterator[bytes]]

API: Final = "/sojourn/v1"

_CONNECT_SECONDS: Final = 5.0
# Three of the server's heartbeats: a stream that is silent for longer is dead, whatever TCP believes.
_SILENCE_SECONDS: Final = 30.0


class Transport:
    """The connections to one server with one key."""

    def __init__(
        self, base_url: str, key: str, *, timeout_seconds: float, give_up_after_seconds: float
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._give_up_after_seconds = give_up_after_seconds
        is_local = _is_loopback(self.base_url)
        self._http = httpx2.AsyncClient(
            base_url=self.base_url + API,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx2.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            # A stream holds its connection for as long as it lasts, and calls must not queue behind streams.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            # A proxy of the environment is never the way to this machine itself.
            trust_env=not is_local,
            # Nobody shows a certificate there, and to read those of the authorities takes longer than a call.
            verify=not (is_local and self.base_url.startswith("http:")),
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def fetch(self, request: Request, answer: type[T], content: Content | None = None) -> T:
        """The answer's body, decoded. Raises ApiError or ServerUnreachable once repeating is useless or too late."""
        response = await self._repeat(request, content)
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
            raise as_ours(self.base_url, error) from error

    async def _repeat(self, request: Request, content: Content | None = None) -> httpx2.Response:
        give_up_at = monotonic() + self._give_up_after_seconds
        backoff = Backoff()
        while True:
            failure = await self._try(request, content)
            if isinstance(failure, httpx2.Response):
                return failure
            advice = failure.retry_after_seconds if isinstance(failure, ApiError) else None
            delay = backoff.next_seconds(advice)
            if not is_worth_repeating(request, failure) or monotonic() + delay > give_up_at:
                raise as_ours(self.base_url, failure) from failure
            await pause(delay)

    async def _try(
        self, request: Request, stream: Content | None
    ) -> httpx2.Response | ApiError | httpx2.TransportError:
        content = request.content if stream is None else stream()
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


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
