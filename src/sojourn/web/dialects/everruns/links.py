"""Where a session is found, as its client reached the server. Pure."""

from dataclasses import dataclass

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


def actions(url: str, status: wire.Status) -> list[wire.AllowedAction]:
    made = [
        _action("self", "GET", url, "get_session"),
        _action("events", "GET", f"{url}/events", "list_events"),
        _action("update", "PATCH", url, "update_session", "UpdateSessionRequest"),
        _action("delete", "DELETE", url, "delete_session"),
        _action("pin", "PUT", f"{url}/pin", "pin_session"),
        _action("unpin", "DELETE", f"{url}/pin", "unpin_session"),
    ]
    if status in ("active", "waitingfortoolresults"):
        made.append(_action("cancel", "POST", f"{url}/cancel", "cancel_turn"))
    return made


def _action(
    rel: str, method: str, href: str, operation: str, schema: str | None = None
) -> wire.AllowedAction:
    action = wire.AllowedAction(rel=rel, method=method, href=href, operation_id=operation)
    if schema is not None:
        action.schema_ref = _SCHEMA + schema
    return action
