"""What messages are made of, whoever wrote them and whichever model reads them."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Role = Literal["user", "assistant", "tool"]
ToolStatus = Literal["done", "error", "unknown", "cancelled"]


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A model's request to run a tool. `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """The one result of a tool call. `unknown` says that the worker was lost before the outcome was in the log."""

    id: str
    name: str
    status: ToolStatus
    output: str


Part = TextPart | ToolCallPart | ToolResultPart


@dataclass(frozen=True, slots=True)
class Message:
    """`payload` is the JSON text of an object that an agent behind HTTP is sent beside the text, if there is one."""

    role: Role
    parts: tuple[Part, ...]
    payload: str | None = None

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class Usage:
    """What model calls consumed. Tokens are counts; `cost_usd` is None where the price of a model is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: Decimal | None = None


def total(usages: Collection[Usage]) -> Usage:
    """A cost that is not known of some is that of the others."""
    costs = [usage.cost_usd for usage in usages if usage.cost_usd is not None]
    return Usage(
        sum(usage.input_tokens for usage in usages),
        sum(usage.output_tokens for usage in usages),
        sum(usage.cache_read_tokens for usage in usages),
        sum(usage.cache_write_tokens for usage in usages),
        sum(costs, Decimal(0)) if costs else None,
    )
