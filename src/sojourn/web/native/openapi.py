"""The OpenAPI 3.1 document, made from the table of routes and the structs that it names."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from sojourn import __version__
from sojourn.web.kit.query import struct_info
from sojourn.web.native import event_wire, queries, wire
from sojourn.web.native.errors import TABLE
from sojourn.web.native.route import Answer, AnyRoute, Media, PublicRoute, RawBody, StreamedBody

Json = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{name}"
_STREAMED: Final = (
    event_wire.Event,
    event_wire.Preview,
    event_wire.CaughtUp,
    event_wire.Gap,
    event_wire.Closing,
    wire.Problem,
)
_STREAM: Final = """\
Server-sent events. An event of the log has its seq as `id`, its type as `event` and an Event as `data`. Without an \
id come `caught_up` (CaughtUp: what follows is live), `preview` (Preview), `gap` (Gap), and as the last one `closing` \
(Closing) or `problem` (Problem). A comment comes every ten seconds."""
# What stands in paths and is no id.
_TEXTS: Final = frozenset({"claim", "sha256", "type", "provider", "model", "secret"})
_ETAG: Final[Json] = {"ETag": {"description": "The revision, in quotes.", "schema": {"type": "string"}}}


def document(public: Iterable[PublicRoute], routes: Iterable[AnyRoute]) -> bytes:
    """The document as JSON."""
    public, routes = tuple(public), tuple(routes)
    paths: dict[str, Json] = {}
    for open_route in public:
        paths.setdefault(open_route.path, {})["get"] = _public_operation(open_route)
    for route in routes:
        item = paths.setdefault(route.path, _path_item(route.path))
        item[route.method.lower()] = _operation(route)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Sojourn", "version": __version__},
            "servers": [{"url": "/sojourn/v1"}],
            "security": [{"key": []}],
            "paths": paths,
            "components": {
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
                "responses": {str(status): _problem(status) for status, _, _ in TABLE.values()},
                "schemas": _schemas(public, routes),
            },
        }
    )


def _schemas(public: Iterable[PublicRoute], routes: Sequence[AnyRoute]) -> Json:
    types = [route.answer for route in public]
    for route in routes:
        types += [*route.answers.values(), *([] if route.body in (RawBody, StreamedBody) else [route.body])]
    structs = [type for type in types if not isinstance(type, Media) and type is not wire.Nothing]
    _, components = msgspec.json.schema_components([*structs, *_STREAMED], ref_template=_REFERENCE)
    return components


def _path_item(path: str) -> Json:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {"parameters": [_path_parameter(name) for name in names]} if names else {}


def _path_parameter(name: str) -> Json:
    schema = {"type": "string"} if name in _TEXTS else {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _public_operation(route: PublicRoute) -> Json:
    return {
        "operationId": route.operation,
        "summary": route.summary,
        "security": [],
        "responses": {"200": {"description": route.summary, "content": _content(route.answer)}},
    }


def _operation(route: AnyRoute) -> Json:
    made: Json = {"operationId": route.operation, "summary": route.summary}
    if route.gathers is not None:
        made["description"] = f"`{route.gathers}.<key>=<value>` may be given for any number of keys."
    if parameters := [*_query_parameters(route), *_header_parameters(route)]:
        made["parameters"] = parameters
    if route.method not in ("GET", "DELETE") and route.body is not wire.Nothing:
        made["requestBody"] = _request_body(route)
    made["responses"] = _responses(route)
    return made


def _request_body(route: AnyRoute) -> Json:
    if route.body is RawBody:
        return {"required": False, "content": _content(Media.BYTES)}
    if route.body is StreamedBody:
        return {"required": True, "content": _content(Media.LINES)}
    required = any(field.required for field in struct_info(route.body).fields)
    return {"required": required, "content": _content(route.body)}


def _query_parameters(route: AnyRoute) -> list[Json]:
    if route.query is queries.NoQuery:
        return []
    _, components = msgspec.json.schema_components([route.query], ref_template=_REFERENCE)
    schema = components[route.query.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema["required"], "schema": _plain(given)}
        for name, given in schema["properties"].items()
        if name != route.gathers
    ]


def _plain(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if not (key == "default" and value == [])}


def _header_parameters(route: AnyRoute) -> list[Json]:
    parameters: list[Json] = []
    if route.method == "POST":
        schema = {"type": "string", "pattern": "^[!-~]{1,255}$"}
        description = "A repeated request with the same key changes nothing and is answered as the first was."
        parameters.append(_header("Idempotency-Key", schema, description))
    if route.conditional:
        schema = {"type": "string", "pattern": '^(\\*|"?[0-9]{1,18}"?)$'}
        parameters.append(_header("If-Match", schema, "The revision that the change is meant for."))
    if route.body is RawBody and 201 in route.answers:
        schema = {"type": "string", "const": "*"}
        parameters.append(_header("If-None-Match", schema, "There must be nothing at the path yet."))
    if Media.EVENTS in route.answers.values() and "after" in route.query.__struct_fields__:
        schema = {"type": "string", "pattern": "^[0-9]{1,18}$"}
        parameters.append(_header("Last-Event-ID", schema, "Wins over `after`."))
    return parameters


def _header(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def _responses(route: AnyRoute) -> Json:
    responses: Json = {}
    for status, answer in route.answers.items():
        response: Json = {"description": route.summary}
        if answer is not Media.NONE:
            response["content"] = _content(answer)
        if answer is Media.EVENTS:
            response["description"] = _STREAM
        if route.conditional:
            response["headers"] = _ETAG
        responses[str(status)] = response
    for status in sorted(_error_statuses(route)):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return responses


def _error_statuses(route: AnyRoute) -> set[int]:
    codes = {error.code for error in route.errors}
    codes |= {"bad_request", "unauthenticated", "forbidden", "internal", "store_unavailable"}
    if "{" in route.path:
        codes.add("not_found")
    if route.method not in ("GET", "DELETE"):
        codes |= {"body_too_large", "invalid_request"}
    if route.method == "POST":
        codes.add("idempotency_mismatch")
    return {TABLE[code][0] for code in codes}


def _problem(status: int) -> Json:
    titles = sorted({title for other, _, title in TABLE.values() if other == status})
    schema = {"$ref": _REFERENCE.format(name=wire.Problem.__name__)}
    return {"description": "; ".join(titles), "content": {"application/problem+json": {"schema": schema}}}


def _content(answer: Answer) -> Json:
    match answer:
        case Media.EVENTS:
            return {answer.value: {"schema": {"type": "string"}}}
        case Media():
            return {answer.value: {"schema": {}}}
        case _:
            return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=answer.__name__)}}}
