"""The page of one session, shown in somebody's frame. What agents and users say is hostile text in it."""

import secrets
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader

from sojourn.web.dialects.membrane import wire
from sojourn.web.kit.response import Header, Response

_PAGES: Final = Path(__file__).parent / "pages"
_HTML: Final = b"text/html; charset=utf-8"
THEMES: Final = frozenset({"light", "dark", "auto"})


def page(
    session: wire.AgentSession, messages: list[wire.Message], token: str, theme: str, seq: int
) -> Response:
    """`seq` is the last event of the log that the page knows of; it is followed from there."""
    nonce = secrets.token_urlsafe(16)
    text = _template().render(
        session=_plain(session),
        messages=[_shown(message) for message in messages],
        token=token,
        theme=theme if theme in THEMES else "auto",
        seq=seq,
        nonce=nonce,
    )
    return Response(200, text.encode("utf-8", "replace"), _HTML, _headers(nonce))


def _shown(message: wire.Message) -> dict[str, Any]:
    error = message.info.error
    return _plain(message) | {"failure": error["data"]["message"] if isinstance(error, dict) else ""}


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    """What would be sent as JSON: what is absent is not there, which the template takes for false."""
    return msgspec.to_builtins(value)


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    # The engine's own annotation says nothing of what the filters are.
    environment.filters["pretty"] = _pretty  # pyright: ignore[reportUnknownMemberType]
    return environment.get_template("session.html")


def _headers(nonce: str) -> tuple[Header, ...]:
    """It may stand in any frame, as it is made for; it loads nothing, and talks to this server only."""
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; object-src 'none'"
    )
    return (
        (b"content-security-policy", policy.encode()),
        # The page holds the token.
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    )
