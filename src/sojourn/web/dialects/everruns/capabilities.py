"""Capabilities: the server's catalogue as Everruns' clients know it. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sojourn.domain.capability import CapabilityKind, Catalogue
from sojourn.domain.errors import InvalidRequest, NotFound

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Vendor:
    """What Everruns calls one of ours, and says of it besides."""

    id: str
    name: str
    category: str
    features: tuple[str, ...] = ()


FILES: Final = "session_file_system"

# By our names. One that the vendor has no word for goes by our own.
VENDORS: Final[Mapping[str, Vendor]] = {
    "current_time": Vendor("current_time", "Current time", "utilities"),
    "files": Vendor(FILES, "Session file system", "files", ("file_system",)),
    "fetch": Vendor("web_fetch", "Web fetch", "web"),
    "todo": Vendor("stateless_todo_list", "To-do list", "productivity"),
    "ask_user": Vendor("ask_user", "Ask the user", "human"),
    "sessions": Vendor("subagents", "Subagents", "agents"),
}

# Any configuration is kept and given back; none of these takes any.
CONFIG_SCHEMA: Final[Config] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Capability:
    """`tool` is the name of the set of our tools that it stands for."""

    vendor: Vendor
    description: str
    tool: str


class Capabilities:
    """Those of the catalogue that this process can give an agent, and that need no configuration."""

    def __init__(self, catalogue: Catalogue) -> None:
        found = [_capability(kind) for kind in catalogue if kind.missing is None and not kind.needs_config]
        self._by_id = {each.vendor.id: each for each in found}
        self._of_tool = {each.tool: each.vendor.id for each in found}

    def __iter__(self) -> Iterator[Capability]:
        return iter(self._by_id.values())

    def get(self, id: str) -> Capability:
        found = self._by_id.get(id)
        if found is None:
            raise NotFound("capability", id)
        return found

    def check(self, refs: Iterable[str], field: str = "capabilities") -> None:
        """InvalidRequest for what is not here: no capability is dropped in silence."""
        for ref in refs:
            if ref not in self._by_id:
                raise InvalidRequest(field, f"unknown or unavailable capability {ref[:100]!r}")

    def tools_of(self, refs: Iterable[str]) -> tuple[str, ...]:
        """What was said in the time of another process, which had more of them, is left out here as below."""
        return tuple(dict.fromkeys(self._by_id[ref].tool for ref in refs if ref in self._by_id))

    def with_tools_of(self, tools: Sequence[str], refs: Iterable[str]) -> tuple[str, ...]:
        """The tools with those of the capabilities in place of all that a capability could have given."""
        own = (tool for tool in tools if tool not in self._of_tool)
        return (*own, *self.tools_of(refs))

    def of_tools(self, tools: Sequence[str], said: Sequence[Config]) -> list[Config]:
        """What is shown of tools: as a client said it of those that it named, then what was given elsewhere."""
        given = [
            each for each in said if each["ref"] in self._by_id and self._by_id[each["ref"]].tool in tools
        ]
        named = {each["ref"] for each in given}
        others = (self._of_tool[tool] for tool in tools if tool in self._of_tool)
        return [*given, *({"ref": ref} for ref in others if ref not in named)]

    def features(self, refs: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(feature for ref in refs for feature in self._by_id[ref].vendor.features))


def _capability(kind: CapabilityKind) -> Capability:
    own = Vendor(kind.name, kind.name.replace("_", " ").capitalize(), "utilities")
    return Capability(VENDORS.get(kind.name, own), kind.description, kind.name)
