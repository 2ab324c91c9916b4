"""docs/reference/api.md: the native API, from the tables that make the server and its OpenAPI document."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final

import msgspec

from scripts.docs_pages.markdown import code, codes, compose, prose, table
from sojourn.web.kit.auth import SCOPES
from sojourn.web.native.errors import TABLE
from sojourn.web.native.openapi import document
from sojourn.web.native.route import AnyRoute
from sojourn.web.native.routes import PUBLIC, ROUTES

Json = Mapping[str, Any]

_BASE: Final = "/sojourn/v1"
_CONVENTIONS: Final = f"""\
Paths are below `{_BASE}`. The OpenAPI 3.1 document is at `{_BASE}/openapi.json`, without a key.

- **Key**: `Authorization: Bearer <key>`. The organisation comes from the key; what another one has is not found.
- **Repeating**: every POST takes an `Idempotency-Key` of 1 to 255 visible ASCII characters. The same request with the
  same key within 24 hours changes nothing and gets the first answer's ids and status, with `Idempotent-Replayed: true`;
  another request with that key is refused with 409. Refused requests are not remembered.
- **Conditions**: a PATCH answers with the revision as `ETag` and takes it as `If-Match`; a stale one gets 412.
- **Pages**: a list takes `limit` and `cursor` and answers `data` and `next_cursor`, which is null on the last page. A
  cursor is good for the list, the filters and the organisation that it came from.
- **Streams**: server-sent events. An event of the log has its seq as `id`; after a lost connection go on with
  `Last-Event-ID` or `after`, and nothing is missed or repeated. Without an id come `caught_up` (what follows is live),
  `preview` (text of a message being written, never stored), `gap` (the log before it is gone), `closing` and `problem`.
  A comment comes every ten seconds.
- **Errors**: RFC 9457 problems with a `code`, and the `request_id` that the server's log has."""


def page() -> str:
    made = msgspec.json.decode(document(PUBLIC, ROUTES))
    return compose(
        "API",
        "src/sojourn/web/native",
        _CONVENTIONS,
        "## Without a key",
        table(
            ["request", "what it does", "answer"],
            ([code(f"GET {route.path}"), route.summary, _refs(made, "get", route.path)] for route in PUBLIC),
        ),
        *(block for name, routes in groupby(ROUTES, _module) for block in _group(name, routes, made)),
        "## Scopes",
        table(["role", "scopes"], ([role, codes(sorted(scopes))] for role, scopes in SCOPES.items())),
        "## Errors",
        table(["status", "code", "meaning"], sorted(set(_errors()))),
        "## Objects",
        *(
            block
            for name, schema in sorted(made["components"]["schemas"].items())
            for block in _object(name, schema)
        ),
    )


def _module(route: AnyRoute) -> str:
    return route.handler.__module__.rpartition(".")[2]


def _group(name: str, routes: Iterable[AnyRoute], made: Json) -> list[str]:
    head = ["request", "what it does", "scope", "query", "body", "answer"]
    return [f"## Requests: {name}", table(head, (_row(route, made) for route in routes))]


def _row(route: AnyRoute, made: Json) -> list[str]:
    operation = made["paths"][route.path][route.method.lower()]
    query = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
    if route.gathers is not None:
        query.append(f"{route.gathers}.<key>")
    body = operation.get("requestBody")
    return [
        code(f"{route.method} {route.path}"),
        route.summary,
        code(route.scope),
        codes(query),
        "" if body is None else _content(body["content"]),
        _refs(made, route.method.lower(), route.path),
    ]


def _refs(made: Json, method: str, path: str) -> str:
    """The answers of an operation that succeeds."""
    responses = made["paths"][path][method]["responses"]
    found = {status: response for status, response in responses.items() if "$ref" not in response}
    return ", ".join(
        f"{status} {_content(response.get('content', {}))}".strip() for status, response in found.items()
    )


def _content(content: Json) -> str:
    for media, described in content.items():
        return (
            _type(described["schema"]) if media == "application/json" and described["schema"] else code(media)
        )
    return ""


def _errors() -> Iterable[tuple[str, str, str]]:
    for status, wire_code, title in TABLE.values():
        yield str(status), code(wire_code), title


def _object(name: str, schema: Json) -> list[str]:
    required = set(schema.get("required", []))
    rows = [
        [code(field), _type(described), "" if field in required else _default(described)]
        for field, described in schema.get("properties", {}).items()
    ]
    # What is always there in an answer and has to be in a request needs no default.
    blocks = [f"### {name}", prose(schema.get("description"))]
    return [
        block for block in (*blocks, table(["field", "type", "if left out"], rows) if rows else "") if block
    ]


def _default(schema: Json) -> str:
    return code(msgspec.json.encode(schema["default"]).decode()) if "default" in schema else "-"


def _type(schema: Json) -> str:
    """A JSON Schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return " or ".join(code(msgspec.json.encode(value).decode()) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema['items'])}"
        case str(name):
            return _FORMATS.get(schema.get("format", ""), name)
        case _:
            return "any JSON"


_FORMATS: Final = {"uuid": "UUID", "date-time": "time"}
