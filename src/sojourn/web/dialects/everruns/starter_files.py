"""Starter files: what an agent and a session are said to begin with, as files of the session's area. Pure."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sojourn.domain.agent import AgentSpec
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.file import NewFile
from sojourn.web.dialects.everruns import agent_facet

# Where an agent is told that its files are, which may stand before their paths.
AREA: Final = "/workspace/"

Said = Mapping[str, Any]


def of(agent: AgentSpec, said: Sequence[Said] = ()) -> tuple[NewFile, ...]:
    """The agent's and then the session's own; the service lets the later of two with one path count."""
    return tuple(_file(each) for each in (*agent_facet.read(agent).initial_files, *said))


def _file(said: Said) -> NewFile:
    path: str = said["path"]
    readonly = bool(said.get("is_readonly"))
    return NewFile(path.removeprefix(AREA), content(path, said["content"], said.get("encoding")), readonly)


def content(path: str, text: str, encoding: str | None) -> bytes:
    if encoding != "base64":
        return text.encode()
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise InvalidRequest("initial_files", f"the content of {path[:100]} is not base64") from None
