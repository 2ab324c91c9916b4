"""The catalogue of a process: its sets of tools, which need no configuration, and its capabilities, which open some."""

from collections.abc import Mapping, Sequence
from typing import Final

from sojourn.domain.capability import CapabilityKind, Catalogue
from sojourn.runners.model.tools import Tool

_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "files": "Reads, writes and lists the files of the session.",
    "sessions": "Has other agents do something in sessions of their own, and waits for their answers.",
    "todo": "Keeps a list of what is to be done in the session's files.",
}


def catalogue_of(toolsets: Mapping[str, Sequence[Tool]], kinds: Sequence[CapabilityKind] = ()) -> Catalogue:
    """`kinds` are those that say themselves what they are, also of a set of tools."""
    own = {kind.name for kind in kinds}
    return Catalogue([*(_kind(name, tools) for name, tools in toolsets.items() if name not in own), *kinds])


def _kind(name: str, tools: Sequence[Tool]) -> CapabilityKind:
    described = _DESCRIPTIONS.get(name) or " ".join(tool.spec.description for tool in tools)
    return CapabilityKind(name=name, description=described, tools=[tool.spec.name for tool in tools])
