"""The catalogue of what agents can be given."""

from sojourn.client.calls import Calls
from sojourn.client.capability_types import CapabilityKind, CapabilityKinds
from sojourn.client.request import Request


class CapabilityCalls(Calls):
    async def list_capabilities(self) -> list[CapabilityKind]:
        return (await self._transport.fetch(Request("GET", "/capabilities"), CapabilityKinds)).data

    async def get_capability(self, name: str) -> CapabilityKind:
        return await self._transport.fetch(Request("GET", f"/capabilities/{name}"), CapabilityKind)
