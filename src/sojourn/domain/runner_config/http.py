"""The `http` runner's configuration: where the agent's app is, and how it is asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.headers import CONNECTION_HEADERS, HeaderValue, read_headers
from sojourn.domain.kinds import Json
from sojourn.domain.runner_config import fields

SESSION_HEADER: Final = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"
REQUEST_HEADER: Final = "X-Amzn-Bedrock-AgentCore-Runtime-Request-Id"

MAX_URL_LENGTH: Final = 1_900
MAX_EXTRA_BYTES: Final = 32 * 1024
LONGEST_SECONDS: Final = 28_800.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024

_OURS: Final = CONNECTION_HEADERS | {SESSION_HEADER.lower(), REQUEST_HEADER.lower()}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """`url` is the app's base, without a slash at its end.

    The prompt is sent as `prompt_field` beside what `payload` holds; with `shape` `json` a prompt that is itself a JSON
    object takes its place. `idempotent` says that the app may be asked the same thing twice. `start_seconds` is how
    long a turn waits for an app that cannot be reached, `timeout_seconds` how long for a whole answer, and
    `max_busy_seconds` how long after its last turn an app that is busy may keep a session from idling out.
    """

    url: str
    headers: Mapping[str, HeaderValue]
    payload: Mapping[str, Json]
    prompt_field: str = "prompt"
    shape: Literal["json", "prompt"] = "json"
    idempotent: bool = False
    start_seconds: float = 30.0
    timeout_seconds: float = 900.0
    max_busy_seconds: float = LONGEST_SECONDS
    max_answer_bytes: int = 4 * 1024 * 1024


def read_http(config: Mapping[str, Json]) -> HttpConfig:
    """InvalidRequest, with the place below `runner_config`, for what the runner cannot use."""
    fields.refuse_others(config, HttpConfig.__dataclass_fields__)
    return HttpConfig(
        url=_url(fields.text(config, "url")),
        headers=read_headers("runner_config.headers", fields.mapping(config, "headers"), _OURS),
        payload=_payload(fields.mapping(config, "payload")),
        prompt_field=fields.text(config, "prompt_field", "prompt"),
        shape=_shape(config.get("shape", "json")),
        idempotent=fields.flag(config, "idempotent", False),
        start_seconds=fields.seconds(config, "start_seconds", 30.0, 600.0),
        timeout_seconds=fields.seconds(config, "timeout_seconds", 900.0, LONGEST_SECONDS),
        max_busy_seconds=fields.seconds(config, "max_busy_seconds", LONGEST_SECONDS, 14 * 86_400.0),
        max_answer_bytes=fields.count(config, "max_answer_bytes", 4 * 1024 * 1024, MAX_ANSWER_BYTES),
    )


def _shape(shape: Json) -> Literal["json", "prompt"]:
    match shape:
        case "json" | "prompt":
            return shape
        case _:
            raise InvalidRequest("runner_config.shape", "must be json or prompt")


def _url(url: str) -> str:
    place = "runner_config.url"
    if len(url) > MAX_URL_LENGTH or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise InvalidRequest(place, f"must be an ASCII URL of at most {MAX_URL_LENGTH} characters")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidRequest(place, "is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequest(place, "must be an http or https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequest(place, "must not hold a user or a password")
    if parts.query or parts.fragment or url[-1] in "?#":
        raise InvalidRequest(place, "must end with its path: /invocations and /ping are added to it")
    return url.rstrip("/")


def _payload(payload: Mapping[str, Json]) -> Mapping[str, Json]:
    try:
        size = len(json.dumps(payload))
    except RecursionError:
        raise InvalidRequest("runner_config.payload", "is nested too deep") from None
    if size > MAX_EXTRA_BYTES:
        raise InvalidRequest(
            "runner_config.payload", f"must not be larger than {MAX_EXTRA_BYTES} bytes of JSON"
        )
    return payload
