# Made from src/sojourn/client/capabilities.py by scripts/twin; change that one.
"""The catalogue of what agents can be given."""

from sojourn.client.capability_types import CapabilityKind, CapabilityKinds
from sojourn.client.request import Request
from sojourn.client.sync.calls import Calls


class CapabilityCalls(Calls):
    def list_capabilities(self) -> list[CapabilityKind]:
        return (self._transport.fetch(Request("GET", "/capabilities"), CapabilityKinds)).data

    def get_capability(self, name: str) -> CapabilityKind:
        return self._transport.fetch(Request("GET", f"/capabilities/{name}"), CapabilityKind)
