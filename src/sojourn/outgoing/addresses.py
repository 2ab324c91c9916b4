"""Where a URL leads, and whether that is a public address."""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sojourn.domain.errors import InvalidRequest

PORTS: Final = {"http": 80, "https": 443}
LONGEST_URL: Final = 2_000

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAT64: Final = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
_TRANSLATED: Final = ipaddress.ip_network("::ffff:0:0:0/96")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: `host` as it is written there, `port` that of the scheme where none is."""

    scheme: str
    host: str
    port: int

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def place_of(field: str, url: str) -> Place:
    """InvalidRequest for what is no URL that could be asked."""
    if len(url) > LONGEST_URL or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise InvalidRequest(field, f"must be an ASCII URL of at most {LONGEST_URL} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidRequest(field, "is no URL") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise InvalidRequest(field, "must be an http or https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequest(field, "must not hold a user or a password")
    return Place(parts.scheme, parts.hostname, port or PORTS[parts.scheme])


def is_public(address: str) -> bool:
    """Whether an address, as a resolver gives it, belongs to the Internet and to one machine there."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # Addresses that carry one of IPv4 lead where that one leads.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and (ip in _NAT64 or ip in _COMPATIBLE or ip in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
        if ip in _LOCAL_NAT64 or ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast
