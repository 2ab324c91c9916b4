"""Requests that are made for users: to public addresses only, unless they are allowed others."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sojourn.domain.errors import InvalidRequest

if TYPE_CHECKING:
    import httpx2

TIMEOUT_SECONDS: Final = 30.0
_RESOLVE_SECONDS: Final = 5.0
_PORTS: Final = {"http": 80, "https": 443}
_LONGEST_URL: Final = 2_000


class NotSent(Exception):
    """A request that brought no answer, or that must not be made; the first argument says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: `host` as it is written there, `port` that of the scheme where none is."""

    scheme: str
    host: str
    port: int


class Outgoing:
    """One client of a process. `allow_private` lets it ask the machine itself and its neighbours."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._client: httpx2.AsyncClient | None = None

    async def check(self, field: str, url: str) -> None:
        """InvalidRequest for what is no URL, or leads to a private address. A name may not resolve yet."""
        place = _place(field, url)
        try:
            addresses = await _resolve(place)
        except NotSent:
            return
        if not self._may_ask(addresses):
            raise InvalidRequest(
                field, "leads to a private address, and this server is not set to allow that"
            )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer, which is not read. NotSent without one, or if a private address is asked."""
        import httpx2  # noqa: PLC0415  # loaded when there is somebody to tell

        try:
            place = _place("url", url)
        except InvalidRequest as error:
            raise NotSent(str(error)) from None
        addresses = await _resolve(place)
        if not self._may_ask(addresses):
            raise NotSent("the address is a private one")
        if self._client is None:
            # No proxy: it would resolve the name again, and no redirect: it would lead anywhere.
            self._client = httpx2.AsyncClient(
                follow_redirects=False, trust_env=False, timeout=TIMEOUT_SECONDS
            )
        # The address that was looked at is the one that is asked: a second look-up might find another.
        pinned = httpx2.URL(url).copy_with(host=addresses[0])
        sent = {**headers, "host": _host_header(place)}
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._client.stream(
                    "POST", pinned, headers=sent, content=body, extensions={"sni_hostname": place.host}
                ) as answer,
            ):
                return answer.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            raise NotSent(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _may_ask(self, addresses: list[str]) -> bool:
        return self._allow_private or all(_is_public(address) for address in addresses)


def _place(field: str, url: str) -> Place:
    if len(url) > _LONGEST_URL or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise InvalidRequest(field, f"must be an ASCII URL of at most {_LONGEST_URL} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidRequest(field, "is no URL") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidRequest(field, "must be an http or https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequest(field, "must not hold a user or a password")
    return Place(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])


def _host_header(place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return host if place.port == _PORTS[place.scheme] else f"{host}:{place.port}"


async def _resolve(place: Place) -> list[str]:
    """Every address of the host, in the order in which they should be tried."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise NotSent(f"the host {place.host} cannot be found") from error
    return [str(address[0]) for *_, address in found]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # Addresses that carry one of IPv4 lead where that one leads.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return inner.is_global
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF).is_global
    return ip.is_global and not ip.is_multicast


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
