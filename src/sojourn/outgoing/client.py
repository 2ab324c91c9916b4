"""One request at a time, to public addresses only unless others are allowed.

The address that was looked at is the one that is asked: a name that resolves to another one a moment later changes
nothing, and a redirect is a new request with a look of its own.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sojourn.domain.errors import InvalidRequest
from sojourn.outgoing.addresses import Place, is_public, place_of

if TYPE_CHECKING:
    import httpx2

RESOLVE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 10.0


class Unanswered(Exception):
    """A request that brought no whole answer; the first argument says why."""


class NotSent(Unanswered):
    """Nobody can have seen the request."""


class AddressRefused(NotSent):
    """The request must not be made, now or later: what it names is no URL, or a private address."""


class AnswerBroken(Unanswered):
    """The request may have been seen, and carried out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, whose body comes when it is asked for. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    _response: "httpx2.Response"

    @property
    def content_type(self) -> str:
        """Without its parameters, in lower case; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body as it comes. AnswerBroken where it ends too early."""
        if self.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            # None was asked for, and a few bytes of one may be gigabytes of text.
            raise AnswerBroken("the answer is compressed, which was not asked for")
        with _failures():
            async with aclosing(_raw(self._response)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def read(self, limit: int) -> tuple[bytes, bool]:
        """The first `limit` bytes of the body, and whether that is all of it."""
        body = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    return bytes(body[:limit]), False
        return bytes(body), True


class Outgoing:
    """One client of a process. `allow_private` lets it ask the machine itself and its neighbours."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._client: httpx2.AsyncClient | None = None

    async def check(self, field: str, url: str) -> None:
        """InvalidRequest for what is no URL, or leads to a private address. A name may not resolve yet."""
        place = place_of(field, url)
        try:
            await self.addresses(place)
        except AddressRefused:
            raise InvalidRequest(
                field, "leads to a private address, and this server is not set to allow that"
            ) from None
        except NotSent:
            return

    @asynccontextmanager
    async def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        read_seconds: float | None = None,
    ) -> AsyncGenerator[Answer]:
        """The answer, whose connection is closed behind the block. No redirect is followed.

        `read_seconds` limits each wait for more of it; the whole is limited by whoever asks. NotSent or AnswerBroken,
        in the block too.
        """
        import httpx2  # noqa: PLC0415  # loaded when there is somebody to ask

        try:
            place = place_of("url", url)
        except InvalidRequest as error:
            raise AddressRefused(str(error)) from None
        addresses = await self.addresses(place)

        timeout = httpx2.Timeout(connect=CONNECT_SECONDS, read=read_seconds, write=read_seconds, pool=None)
        with _failures():
            request = httpx2.Request(
                method,
                url,
                headers={"accept-encoding": "identity", **headers, "host": place.host_header},
                content=body,
                extensions={"sni_hostname": place.host, "timeout": timeout.as_dict()},
            )
        response = await self._send(request, addresses)
        try:
            yield Answer(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                response,
            )
        finally:
            await response.aclose()

    async def _send(self, request: "httpx2.Request", addresses: Sequence[str]) -> "httpx2.Response":
        """The first of the addresses that takes a connection answers."""
        client = self._open()
        refusal = NotSent("the host has no address")
        for address in addresses:
            request.url = request.url.copy_with(host=address)
            try:
                with _failures():
                    return await client.send(request, stream=True)
            except NotSent as error:
                refusal = error
        raise refusal

    def _open(self) -> "httpx2.AsyncClient":
        import httpx2  # noqa: PLC0415  # loaded when there is somebody to ask

        if self._client is None:
            # No proxy: it would resolve the name again. No connection is kept: one that was opened, and whose
            # certificate was checked, for one name must not carry a request to another at the same address.
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
            self._client = httpx2.AsyncClient(follow_redirects=False, trust_env=False, limits=limits)
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def addresses(self, place: Place) -> list[str]:
        addresses = await _resolve(place)
        if self._allow_private or all(is_public(address) for address in addresses):
            return addresses
        raise AddressRefused("the address is a private one, and this server is not set to allow that")


async def _raw(response: "httpx2.Response") -> AsyncGenerator[bytes]:
    stream: AsyncIterator[bytes] = response.aiter_raw()
    async for chunk in stream:
        yield chunk


async def _resolve(place: Place) -> list[str]:
    """Every address of the host, in the order in which they should be tried."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise NotSent(f"the host {place.host} cannot be found") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@contextmanager
def _failures() -> Generator[None]:
    """Raise NotSent or AnswerBroken for what a request or its answer fails with."""
    import httpx2  # noqa: PLC0415  # loaded when there is somebody to ask

    try:
        yield
    except (
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.UnsupportedProtocol,
        httpx2.LocalProtocolError,
        httpx2.InvalidURL,
    ) as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error
    except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
        raise AnswerBroken(f"{type(error).__name__}: {error}") from error
