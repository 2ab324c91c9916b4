"""What an agent's program tells while it answers, in our own words: nothing here knows the protocol's library."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from sojourn.domain.content import Usage
from sojourn.domain.events import AskDecided
from sojourn.domain.kinds import Json
from sojourn.domain.model_events import PlanStep

ToolState = Literal["pending", "in_progress", "completed", "failed"]
OptionKind = Literal["allow_once", "allow_always", "reject_once", "reject_always"]


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan, in the place of the one before."""

    steps: Sequence[PlanStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolNews:
    """About one tool call; what is None is as it was."""

    id: str
    title: str | None = None
    kind: str | None = None
    state: ToolState | None = None
    input: Json = None
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the program's session has cost since it began."""

    usd: Decimal


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers that the program offers to its question."""

    id: str
    name: str
    kind: OptionKind


@dataclass(slots=True, kw_only=True, eq=False)
class Permission:
    """The program asks before it runs a tool, and waits for `answer`: an option's id, or None for none of them."""

    tool: ToolNews
    options: Sequence[Option]
    answer: asyncio.Future[str | None]

    def choose(self, kinds: Sequence[OptionKind]) -> None:
        """Answer with the first option there is of these kinds."""
        if not self.answer.done():
            found = (option.id for kind in kinds for option in self.options if option.kind == kind)
            self.answer.set_result(next(found, None))


@dataclass(slots=True, kw_only=True, eq=False)
class FileRequest:
    """The program reads a text file of its directory, or with a `content` writes it; `answer` is what it holds then."""

    path: str
    content: str | None
    answer: asyncio.Future[str]


@dataclass(frozen=True, slots=True)
class Decided:
    """Somebody has decided about a permission."""

    permission: Permission
    decided: AskDecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The program is done with its prompt, or (`error`) is not there any more, or refuses it."""

    reason: str = "end_turn"
    usage: Usage | None = None
    error: Exception | None = None


Item = Text | Thought | Plan | ToolNews | Cost | Permission | FileRequest | Decided | Ended


@dataclass(slots=True)
class Feed:
    """What came since it was last taken, in order."""

    _items: asyncio.Queue[Item] = field(default_factory=asyncio.Queue[Item])

    def put(self, item: Item) -> None:
        self._items.put_nowait(item)

    async def take(self, wait_seconds: float | None) -> Sequence[Item]:
        """Everything that is there, at least one item; none if `wait_seconds` pass without any."""
        try:
            async with asyncio.timeout(wait_seconds):
                items = [await self._items.get()]
        except TimeoutError:
            return ()
        while not self._items.empty():
            items.append(self._items.get_nowait())
        return items


def as_object(value: Json) -> dict[str, Json]:
    """A tool's input as the object that arguments are here."""
    if isinstance(value, dict):
        return value
    return {} if value is None else {"input": value}
