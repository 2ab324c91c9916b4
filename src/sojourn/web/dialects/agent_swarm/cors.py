"""Cross-origin headers, which stand on every answer, refusals included."""

from typing import Final

from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header, Response

_METHODS: Final[Header] = (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS")
_USUAL_HEADERS: Final = b"Authorization, Content-Type, X-Agent-ID, X-Requested-With"
# Without an origin there is no browser to be told more.
_TO_NO_BROWSER: Final[tuple[Header, ...]] = (
    (b"access-control-allow-origin", b"*"),
    _METHODS,
    (b"access-control-allow-headers", b"*"),
    (b"access-control-expose-headers", b"*"),
)


def with_cors(response: Response, request: Request) -> Response:
    return Response(
        response.status, response.body, response.media_type, (*response.headers, *_headers(request))
    )


def _headers(request: Request) -> tuple[Header, ...]:
    """Any origin may ask: the credential is a key in a header, which a page of another origin does not have."""
    origin = request.header(b"origin")
    if origin is None:
        return _TO_NO_BROWSER
    asked = request.header(b"access-control-request-headers")
    return (
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"vary", b"Origin"),
        (b"access-control-allow-credentials", b"true"),
        _METHODS,
        (b"access-control-allow-headers", asked.encode("latin-1") if asked else _USUAL_HEADERS),
        (b"access-control-expose-headers", b"Content-Type, Content-Length, ETag, Location"),
    )
