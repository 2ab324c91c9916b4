"""Capabilities: what an agent may be given here, and which of our tools each stands for. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sojourn.domain.errors import InvalidRequest

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Capability:
    """`tool` is the name of the set of our tools that it stands for."""

    id: str
    name: str
    description: str
    category: str
    tool: str
    features: tuple[str, ...] = ()


FILES: Final = "session_file_system"

CAPABILITIES: Final[Mapping[str, Capability]] = {
    each.id: each
    for each in (
        Capability(
            "current_time",
            "Current time",
            "Tells the current date and time in UTC.",
            "utilities",
            "current_time",
        ),
        Capability(
            FILES,
            "Session file system",
            "Reads, writes and lists the files of the session.",
            "files",
            "files",
            ("file_system",),
        ),
        Capability(
            "web_fetch",
            "Web fetch",
            "Gets pages of the web as text.",
            "web",
            "fetch",
        ),
        Capability(
            "stateless_todo_list",
            "To-do list",
            "Keeps a list of what is to be done in the session's files.",
            "productivity",
            "todo",
        ),
        Capability(
            "ask_user",
            "Ask the user",
            "Asks the user a question and waits for the answer.",
            "human",
            "ask_user",
        ),
    )
}
_OF_TOOL: Final[Mapping[str, str]] = {each.tool: each.id for each in CAPABILITIES.values()}

# Any configuration is kept and given back; none of these takes any.
CONFIG_SCHEMA: Final[Config] = {"type": "object"}


def check(refs: Iterable[str], field: str = "capabilities") -> None:
    """InvalidRequest for what is not here: no capability is dropped in silence."""
    for ref in refs:
        if ref not in CAPABILITIES:
            raise InvalidRequest(field, f"unknown or unavailable capability {ref[:100]!r}")


def tools_of(refs: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(CAPABILITIES[ref].tool for ref in refs))


def with_tools_of(tools: Sequence[str], refs: Iterable[str]) -> tuple[str, ...]:
    """The tools with those of the capabilities in place of all that a capability could have given."""
    own = (tool for tool in tools if tool not in _OF_TOOL)
    return (*own, *tools_of(refs))


def of_tools(tools: Sequence[str], said: Sequence[Config]) -> list[Config]:
    """What is shown of tools: as a client said it of those it named, in its order, then what was given elsewhere.

    What was said in the time of another release, which had more of them, is left out.
    """
    given = [each for each in said if each["ref"] in CAPABILITIES and CAPABILITIES[each["ref"]].tool in tools]
    named = {each["ref"] for each in given}
    others = (_OF_TOOL[tool] for tool in tools if tool in _OF_TOOL)
    return [*given, *({"ref": ref} for ref in others if ref not in named)]


def features(refs: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(feature for ref in refs for feature in CAPABILITIES[ref].features))
