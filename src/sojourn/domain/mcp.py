"""What an agent says of a server of the Model Context Protocol: where it is, or the program that it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.headers import CONNECTION_HEADERS, HeaderValue, read_headers
from sojourn.domain.kinds import Json
from sojourn.domain.secret_reference import READABLE_PREFIX, SecretReference, read_reference

_TIMEOUT: Final[Mapping[str, Any]] = {
    "type": "number",
    "minimum": 1,
    "maximum": 300,
    "default": 60,
    "description": "Seconds that a call of a tool may take.",
}
HTTP_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "minLength": 1, "maxLength": 1900, "description": "An http or https URL."},
        "headers": {
            "type": "object",
            "maxProperties": 32,
            "additionalProperties": {"type": "string", "maxLength": 4096},
            "description": f"A value may be secret://NAME or env:{READABLE_PREFIX}NAME, behind a scheme and a blank.",
        },
        "timeout_seconds": _TIMEOUT,
    },
    "required": ["url"],
    "additionalProperties": False,
}
STDIO_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "command": {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": "^[^\\0]+$"},
        "args": {
            "type": "array",
            "maxItems": 100,
            "items": {"type": "string", "maxLength": 32768, "pattern": "^[^\\0]*$"},
        },
        "env": {
            "type": "object",
            "maxProperties": 100,
            "additionalProperties": {"type": "string", "maxLength": 32768, "pattern": "^[^\\0]*$"},
            "description": f"A value may be secret://NAME or env:{READABLE_PREFIX}NAME.",
        },
        "timeout_seconds": _TIMEOUT,
    },
    "required": ["command"],
    "additionalProperties": False,
}
_CARRIED: Final = CONNECTION_HEADERS | {"mcp-session-id", "mcp-protocol-version", "last-event-id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class McpHttp:
    url: str
    headers: Mapping[str, HeaderValue]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class McpStdio:
    command: tuple[str, ...]
    env: Mapping[str, str | SecretReference]
    timeout_seconds: float


def read_mcp_http(place: str, config: Mapping[str, Json]) -> McpHttp:
    """Of what the schema allows. InvalidRequest, with the field below `place`, for what cannot be asked."""
    url = str(config["url"])
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidRequest(f"{place}.url", "is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
        raise InvalidRequest(f"{place}.url", "must be an http or https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequest(f"{place}.url", "must not hold a user or a password: name a secret in headers")
    headers = cast(Mapping[str, Json], config.get("headers", {}))
    return McpHttp(
        url=url,
        headers=read_headers(f"{place}.headers", headers, _CARRIED),
        timeout_seconds=_timeout(config),
    )


def read_mcp_stdio(place: str, config: Mapping[str, Json]) -> McpStdio:
    env: dict[str, str | SecretReference] = {}
    for name, value in cast(Mapping[str, str], config.get("env", {})).items():
        if not name or "=" in name or "\0" in name:
            raise InvalidRequest(f"{place}.env", f"{name[:100]!r} is no name of a variable")
        is_reference = value.startswith(("env:", "secret://"))
        env[name] = read_reference(f"{place}.env.{name}", value) if is_reference else value
    words = (str(config["command"]), *cast(list[str], config.get("args", [])))
    return McpStdio(command=words, env=env, timeout_seconds=_timeout(config))


def _timeout(config: Mapping[str, Json]) -> float:
    return float(cast(float, config.get("timeout_seconds", 60)))
