"""What the native API says of the catalogue of capabilities."""

from typing import Any

from msgspec import Struct


class CapabilityKind(Struct):
    """`tools` are those that it brings, null where its configuration decides that.

    `available` says whether agents may have it on this server; where they may not, `missing` says what to install or to
    set. `config_schema` is a JSON Schema of its configuration, and `note` what is special about this server.
    """

    name: str
    description: str
    config_schema: dict[str, Any]
    tools: list[str] | None
    available: bool
    missing: str | None
    note: str | None


class CapabilityKinds(Struct):
    data: list[CapabilityKind]
