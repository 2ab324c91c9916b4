"""One HTTP request, as little of it as a handler needs."""

import os
from collections.abc import Mapping
from itertools import count

from starlette.types import Receive, Scope

# Where the application leaves what follows the mount's prefix of the raw path.
REST = "sojourn.rest"

_PROCESS = os.urandom(5).hex()
_REQUESTS = count(1)


def new_request_id() -> str:
    """Unique among all requests of this process, and in practice among those of all processes."""
    return f"{_PROCESS}-{next(_REQUESTS):x}"


class Request:
    """A request on its way through a surface.

    `rest` is the raw path below the surface's mount, percent-encoded as it came; the router fills in `params`.
    """

    __slots__ = ("_headers", "id", "method", "params", "query_string", "receive", "rest", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.id = new_request_id()
        self.method: str = scope["method"]
        rest = scope.get(REST)
        self.rest: bytes = scope["raw_path"] if rest is None else rest
        self.query_string: bytes = scope["query_string"]
        self.params: Mapping[str, str] = {}
        self._headers: dict[bytes, bytes] | None = None

    def header(self, name: bytes) -> str | None:
        """A header's value, or None. `name` is lower case; of a repeated header the last counts.

        Blanks around a value are no part of it (RFC 9110 section 5.5), and the parser leaves those behind it.
        """
        if self._headers is None:
            self._headers = dict(self.scope["headers"])
        value = self._headers.get(name)
        return None if value is None else value.strip(b" \t").decode("latin-1")
