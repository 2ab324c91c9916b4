"""Answers for pages of other origins: a credential that is sent in a header is one that the page has itself."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sojourn.web.kit.response import Header

_OPEN: Final[tuple[Header, ...]] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
)
_MAX_AGE: Final[Header] = (b"access-control-max-age", b"600")


class AnyOrigin:
    """Lets any page ask `app`, which takes no cookies: `*` sends none. A question ahead needs no credential."""

    def __init__(self, app: ASGIApp, methods: str) -> None:
        """`methods` as they are listed in a header."""
        self._app = app
        self._methods: Header = (b"access-control-allow-methods", methods.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(scope["headers"])
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            wanted = asked.get(b"access-control-request-headers", b"*")
            headers = [*_OPEN, self._methods, (b"access-control-allow-headers", wanted), _MAX_AGE]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body"})
            return

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_OPEN]
            await send(message)

        await self._app(scope, receive, opened)
