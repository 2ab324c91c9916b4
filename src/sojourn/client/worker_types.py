"""What the worker's protocol sends and takes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NotRequired, TypedDict
from uuid import UUID

from sojourn.client.agent_types import Agent
from sojourn.client.json import Json
from sojourn.client.model_types import CallSettings, Prices, Provider
from sojourn.client.types import Input
from sojourn.client.wire import Wire

SettleReason = Literal["end_turn", "refused", "no_progress", "error"]


class Said(TypedDict):
    """One thing to say of a turn: a type of the log's events that a runner may say, and its data."""

    type: str
    data: Mapping[str, object]


class NewAsk(TypedDict):
    """A question. `call` and `index` in the `prompt` name the tool call that it is about, if it is about one."""

    id: UUID
    kind: Literal["approval", "client_tool", "question", "session"]
    prompt: NotRequired[Mapping[str, Json]]
    timeout_seconds: NotRequired[float | None]
    on_expire: NotRequired[Literal["allow", "deny"]]


class ClaimedTurn(Wire, frozen=True, kw_only=True):
    """`claim` names this claim in every request for the turn. `attempt` counts the turn's claims from 1.

    The lease is over `ttl_seconds` after the claim or the last renewal. `model` is None for runners that call none.
    """

    claim: str
    session: UUID
    turn: UUID
    fence: int
    attempt: int
    faults: int
    ttl_seconds: float
    agent: Agent
    model: str | None
    alias: str | None = None
    input: Input


class Claimed(Wire, frozen=True, kw_only=True):
    claimed: ClaimedTurn | None


class ReadyTurn(Wire, frozen=True, kw_only=True):
    """A session with a turn to claim; somebody else may be faster."""

    session: UUID


class ReadyTurns(Wire, frozen=True, kw_only=True):
    data: list[ReadyTurn]


class StoppedTurn(Wire, frozen=True, kw_only=True):
    """A turn that is not the worker's any more; None is whichever of the session it has."""

    session: UUID
    turn: UUID | None


class Listening(Wire, frozen=True, kw_only=True):
    """What follows is live. What was before is found by asking."""


Signal = Listening | ReadyTurn | StoppedTurn


class Renewed(Wire, frozen=True, kw_only=True):
    lost: list[str]


class Entry(Wire, frozen=True, kw_only=True):
    """An entry of the log, with its data whole."""

    seq: int
    turn: UUID | None
    type: str
    v: int
    at: datetime
    data: dict[str, Json]


class Entries(Wire, frozen=True, kw_only=True):
    data: list[Entry]


class Reported(Wire, frozen=True, kw_only=True):
    entries: list[Entry] | None


class MessagePart(Wire, frozen=True, kw_only=True):
    """A text; or a tool call with its `arguments`, as JSON text; or its result with its `status` and `output`."""

    type: Literal["text", "tool_call", "tool_result"]
    text: str = ""
    id: str = ""
    name: str = ""
    arguments: str = ""
    status: str = ""
    output: str = ""


class Message(Wire, frozen=True, kw_only=True):
    role: Literal["user", "assistant", "tool"]
    parts: list[MessagePart]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


class Conversation(Wire, frozen=True, kw_only=True):
    """What was said and done up to the entry `seq`. `call` counts the turn's model calls so far."""

    seq: int
    call: int
    messages: list[Message]


class FileSize(Wire, frozen=True, kw_only=True):
    path: str
    size: int


class FileSizes(Wire, frozen=True, kw_only=True):
    data: list[FileSize]


class MeantModel(Wire, frozen=True, kw_only=True):
    """What a model's name means. `stored` None is a provider that is configured where the worker runs."""

    provider: str
    model: str
    settings: CallSettings
    prices: Prices | None
    stored: Provider | None


class LentSecret(Wire, frozen=True, kw_only=True):
    value: str
