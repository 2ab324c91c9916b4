"""What an agent may be given beside its instructions: the catalogue of kinds, and what an agent or a session says."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.kinds import Json, RunnerKind
from sojourn.domain.schema import check_schema

MAX_CAPABILITIES: Final = 32
NO_CONFIG: Final[Mapping[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": False}
# A reference begins the names of tools, `__` ends it there, and models take 64 characters for both.
REFERENCE: Final = "^[A-Za-z0-9](?:[A-Za-z0-9-]|_(?!_)){0,30}(?<!_)$(?!\n)"

_REFERENCE: Final = re.compile(REFERENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One that an agent has: a `kind` of the catalogue, and what that is told."""

    kind: str
    config: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityKind:
    """`tools` are the names of the tools that it brings; None where its configuration decides that.

    `config_schema` is a JSON Schema of type object, and `check` refuses what a schema cannot say; it is given the place
    of the configuration. `missing` says what to install or to set, None where the kind can be used in this process.
    `note` is what whoever uses it should know of this machine.
    """

    name: str
    description: str
    config_schema: Mapping[str, Any] = field(default_factory=lambda: NO_CONFIG)
    tools: Sequence[str] | None = ()
    missing: str | None = None
    note: str | None = None
    check: Callable[[str, Mapping[str, Json]], object] | None = None

    @property
    def needs_config(self) -> bool:
        return bool(self.config_schema.get("required"))


class Catalogue:
    def __init__(self, kinds: Sequence[CapabilityKind]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}

    def __iter__(self) -> Iterator[CapabilityKind]:
        return iter(self._kinds.values())

    def get(self, name: str) -> CapabilityKind:
        found = self._kinds.get(name)
        if found is None:
            raise NotFound("capability", name[:200])
        return found

    def check(
        self,
        runner: RunnerKind,
        tools: Sequence[str],
        capabilities: Mapping[str, Capability | None],
        place: str = "",
    ) -> None:
        """InvalidRequest, with the field behind `place`, for what no turn could run with.

        What the tools of other runners are called is their own business; capabilities are of the runner `model`.
        """
        if capabilities and runner != "model":
            raise InvalidRequest(f"{place}capabilities", f"are of the runner model; this one is {runner}")
        if runner == "model":
            for index, name in enumerate(tools):
                self._check_tool(f"{place}tools.{index}", name)
        if len(capabilities) > MAX_CAPABILITIES:
            raise InvalidRequest(f"{place}capabilities", f"must not be more than {MAX_CAPABILITIES}")
        for reference, capability in capabilities.items():
            if _REFERENCE.fullmatch(reference) is None:
                message = f"{reference[:100]!r} must be 1 to 31 letters, digits, - and single _"
                raise InvalidRequest(f"{place}capabilities", message)
            if capability is not None:
                self._check_capability(f"{place}capabilities.{reference}", capability)

    def _check_tool(self, place: str, name: str) -> None:
        kind = self._usable(place, name, "tool")
        if kind.needs_config:
            raise InvalidRequest(place, f"{name} needs a configuration: name it in capabilities")

    def _check_capability(self, place: str, capability: Capability) -> None:
        kind = self._usable(f"{place}.kind", capability.kind, "capability")
        check_schema(f"{place}.config", dict(capability.config), kind.config_schema)
        if kind.check is not None:
            kind.check(f"{place}.config", capability.config)

    def _usable(self, place: str, name: str, word: str) -> CapabilityKind:
        kind = self._kinds.get(name)
        if kind is None:
            raise InvalidRequest(place, f"there is no {word} {name[:200]}")
        if kind.missing is not None:
            raise InvalidRequest(place, f"{name} cannot be used here: {kind.missing}")
        return kind
