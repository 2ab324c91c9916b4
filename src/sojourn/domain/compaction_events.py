"""How the older part of a conversation that became too long is replaced by a summary, for the model only."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionStarted:
    """The intent to have the conversation summarised by `model`."""

    type: ClassVar[str] = "compaction.started"
    v: ClassVar[int] = 1
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionCompleted:
    """From here on a model reads `summary` in the place of the conversation's first `messages` messages.

    They stay in the log, and whoever else reads the conversation still sees them.
    """

    type: ClassVar[str] = "compaction.completed"
    v: ClassVar[int] = 1
    messages: int
    summary: str
