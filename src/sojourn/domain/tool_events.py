"""What a log says of the tools that a model asks for."""

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.content import ToolStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRequested:
    """The model asked for a tool. `index` counts the requests of one model call from 0."""

    type: ClassVar[str] = "tool.requested"
    v: ClassVar[int] = 1
    call: int
    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    type: ClassVar[str] = "tool.started"
    v: ClassVar[int] = 1
    call: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCompleted:
    type: ClassVar[str] = "tool.completed"
    v: ClassVar[int] = 1
    call: int
    index: int
    id: str
    name: str
    status: ToolStatus
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDenied:
    """The rule of the tool policy under `rule` forbids the call: nobody is asked, and its result follows."""

    type: ClassVar[str] = "tool.denied"
    v: ClassVar[int] = 1
    call: int
    index: int
    rule: str
