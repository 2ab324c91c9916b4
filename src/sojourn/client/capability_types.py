"""What the native API says of the catalogue of capabilities."""

from sojourn.client.json import Json
from sojourn.client.wire import Wire


class CapabilityKind(Wire, frozen=True, kw_only=True):
    """`tools` None: its configuration decides. `missing` says what to install or set where it is not `available`."""

    name: str
    description: str
    config_schema: dict[str, Json]
    tools: list[str] | None
    available: bool
    missing: str | None = None
    note: str | None = None


class CapabilityKinds(Wire, frozen=True, kw_only=True):
    data: list[CapabilityKind]
