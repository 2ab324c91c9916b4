"""Where things are found, as a client reached the server. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from sojourn.web.dialects.everruns import wire
from sojourn.web.kit.request import Request

_SCHEMA = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Base:
    """`url` is that of the mount, `origin` that of the server, both without a slash at the end."""

    origin: str
    url: str


def base_of(request: Request) -> Base:
    """The host is the client's own word for the server; it is only told back to that client."""
    scope = request.scope
    host = request.header(b"host") or "localhost"
    origin = f"{scope.get('scheme', 'http')}://{host}"
    raw: bytes = scope["raw_path"]
    prefix = raw.removesuffix(request.rest).decode("latin-1")
    return Base(origin, origin + prefix)


def actions(base: Base, id: str, status: wire.Status) -> msgspec.Raw:
    """What can be done with a session now, as JSON: it is the same for all of them but for the id."""
    template = _template(base.url, status in ("active", "waitingfortoolresults"))
    return msgspec.Raw(template.replace(_PLACE, id.encode()))


# No address of a request holds it; this is how JSON writes it.
_NUL: Final = chr(0)
_PLACE: Final = b"\\u0000"


# A client names the host as it likes, so there may be any number.
@lru_cache(maxsize=64)
def _template(url: str, can_cancel: bool) -> bytes:
    one = f"{url}/sessions/{_NUL}"
    made = [
        _action("self", "GET", one, "get_session"),
        _action("events", "GET", f"{one}/events", "list_events"),
        _action("update", "PATCH", one, "update_session", "UpdateSessionRequest"),
        _action("delete", "DELETE", one, "delete_session"),
        _action("pin", "PUT", f"{one}/pin", "pin_session"),
        _action("unpin", "DELETE", f"{one}/pin", "unpin_session"),
    ]
    if can_cancel:
        made.append(_action("cancel", "POST", f"{one}/cancel", "cancel_turn"))
    return msgspec.json.encode(made)


def of_agent(base: Base, id: str) -> Mapping[str, Any]:
    url = f"{base.url}/agents/{id}"
    made = [
        _action("self", "GET", url, "get_agent"),
        _action("update", "PATCH", url, "update_agent", "UpdateAgentRequest"),
        _action("delete", "DELETE", url, "delete_agent"),
    ]
    return _linked(base, url, f"agents/{id}", made)


def of_built_in(base: Base, kind: str, id: str) -> Mapping[str, Any]:
    """What can be read and nothing else."""
    url = f"{base.url}/{kind}/{id}"
    return _linked(base, url, f"{kind}/{id}", [_action("self", "GET", url, f"get_{kind[:-1]}")])


def _linked(base: Base, url: str, place: str, made: list[wire.AllowedAction]) -> Mapping[str, Any]:
    page = f"{base.origin}/{place}"
    return {"self_url": url, "view_url": page, "ui_link": page, "allowed_actions": made}


def neighbours(base: Base, place: str, query: Mapping[str, object], total: int) -> Mapping[str, str]:
    """The pages before and after one, which `query` selects with its `offset` and `limit`."""
    offset, limit = query["offset"], query["limit"]
    assert isinstance(offset, int)
    assert isinstance(limit, int)
    found: dict[str, str] = {}
    if offset + limit < total:
        found["next_url"] = _page_url(base, place, {**query, "offset": offset + limit})
    if offset:
        found["prev_url"] = _page_url(base, place, {**query, "offset": max(0, offset - limit)})
    return found


def _page_url(base: Base, place: str, query: Mapping[str, object]) -> str:
    return f"{base.url}/{place}?{urlencode({name: value for name, value in query.items() if value != ''})}"


def _action(
    rel: str, method: str, href: str, operation: str, schema: str | None = None
) -> wire.AllowedAction:
    action = wire.AllowedAction(rel=rel, method=method, href=href, operation_id=operation)
    if schema is not None:
        action.schema_ref = _SCHEMA + schema
    return action
