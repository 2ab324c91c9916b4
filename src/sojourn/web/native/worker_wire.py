"""What the native API and a worker outside say to each other."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from sojourn.domain.file import MAX_PATH
from sojourn.domain.pools import DEFAULT_POOL
from sojourn.domain.reports import MAX_ASKS, MAX_EVENTS
from sojourn.web.native.agent_wire import Agent
from sojourn.web.native.model_wire import CallSettings, Prices, Provider
from sojourn.web.native.turn_wire import Input
from sojourn.web.native.wire import Count, Instant, Object, RunnerKind, Seconds

# What a log or a terminal shows of it is harmless.
WorkerName = Annotated[str, Meta(pattern="^[A-Za-z0-9._:/-]{1,200}$")]
Pool = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Runners = Annotated[list[RunnerKind], Meta(min_length=1, max_length=4)]
AgentIds = Annotated[list[UUID], Meta(max_length=100)]
# Shorter than what proxies wait for an answer.
Wait = Annotated[float, Meta(ge=0, le=30)]
ClaimName = Annotated[str, Meta(min_length=1, max_length=200)]


class RunnerEvent(Struct, forbid_unknown_fields=True):
    """One thing that a worker says of its turn. `data` is that of the log's event of this type."""

    type: Literal[
        "message.completed",
        "message.abandoned",
        "model.called",
        "model.completed",
        "tool.requested",
        "tool.started",
        "tool.denied",
        "tool.completed",
        "usage.recorded",
        "provider_session.linked",
        "thought.recorded",
        "plan.changed",
        "compaction.started",
        "compaction.completed",
    ]
    data: dict[str, Any]


Said = Annotated[list[RunnerEvent], Meta(max_length=MAX_EVENTS)]


class NewClaim(Struct, forbid_unknown_fields=True):
    """`pool` is that of `external` agents. `session` asks for that one's turn, `agents` for those of agents.

    `wait_seconds` is how long to wait for a turn where there is none.
    """

    worker: WorkerName
    runners: Runners = field(default_factory=lambda: ["external"])
    pool: Pool = DEFAULT_POOL
    agents: AgentIds = []
    session: UUID | None = None
    wait_seconds: Wait = 0


class ClaimedTurn(Struct):
    """`claim` names this claim in every request for the turn; `fence` is the number in it that others outbid.

    The lease is over `ttl_seconds` after the claim or the last renewal. `model` is null for runners that call none.
    """

    claim: str
    session: UUID
    turn: UUID
    fence: int
    attempt: Count
    faults: Count
    ttl_seconds: float
    agent: Agent
    model: str | None
    alias: str | None
    input: Input


class Claimed(Struct):
    """Null where no turn came."""

    claimed: ClaimedTurn | None


class ReadyTurn(Struct):
    session: UUID


class ReadyTurns(Struct):
    """Sessions with a turn to claim: hints, of which others may be faster to make use."""

    data: list[ReadyTurn]


class StoppedTurn(Struct):
    """A turn that is not the worker's any more; `turn` null is whichever of the session it has."""

    session: UUID
    turn: UUID | None


class Renewal(Struct, forbid_unknown_fields=True):
    """`worker` is the name that the turns were claimed under."""

    worker: WorkerName
    claims: Annotated[list[ClaimName], Meta(max_length=1000)]


class Renewed(Struct):
    """Those that are lost: whoever goes on with one works in vain."""

    lost: list[str]


class Report(Struct, forbid_unknown_fields=True):
    """`events` are the results so far, `intents` what is to begin next: `model.called` and `tool.started`.

    `steers_before` is the call before which waiting steers are read. With `entries_after` the answer brings the log.
    """

    events: Said = []
    intents: Said = []
    steers_before: Annotated[int, Meta(ge=1, le=2**31)] | None = None
    entries_after: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


class Settlement(Struct, forbid_unknown_fields=True):
    """With an `error` the turn has failed. Without a `reason` it is then `error`, and else `end_turn`."""

    events: Said = []
    reason: Literal["end_turn", "refused", "no_progress", "error"] | None = None
    error: Annotated[str, Meta(min_length=1, max_length=10_000)] | None = None


class Retry(Struct, forbid_unknown_fields=True):
    """A passing fault: the turn may be claimed again after `delay_seconds`."""

    error: Annotated[str, Meta(min_length=1, max_length=10_000)]
    events: Said = []
    delay_seconds: Annotated[float, Meta(ge=0, le=3600)] = 1.0


class NewAsk(Struct, forbid_unknown_fields=True):
    """`call` and `index` in the `prompt` name the tool call that it is about. Null waits for ever.

    Only turns of the runner `model` start a `session`."""

    id: UUID
    kind: Literal["approval", "client_tool", "question", "session"]
    prompt: Object = {}
    timeout_seconds: Seconds | None = None
    on_expire: Literal["allow", "deny"] = "deny"


class Waiting(Struct, forbid_unknown_fields=True):
    """`held` keeps the turn and its lease; `parked` gives it back until everything is decided."""

    events: Said = []
    asks: Annotated[list[NewAsk], Meta(max_length=MAX_ASKS)] = []
    mode: Literal["held", "parked"] = "parked"


class Entry(Struct):
    """An entry of the log, with its data whole."""

    seq: int
    turn: UUID | None
    type: str
    v: int
    at: Instant
    data: Any


class Entries(Struct):
    data: list[Entry]


class Reported(Struct):
    """`entries` is null unless they were asked for."""

    entries: list[Entry] | None


class MessagePart(Struct, omit_defaults=True):
    """A text; or a tool call with its `arguments`, as JSON text; or its result with its `status` and `output`."""

    type: Literal["text", "tool_call", "tool_result"]
    text: str = ""
    id: str = ""
    name: str = ""
    arguments: str = ""
    status: str = ""
    output: str = ""


class Message(Struct):
    role: Literal["user", "assistant", "tool"]
    parts: list[MessagePart]


class Conversation(Struct):
    """What was said and done up to the entry `seq`. `call` counts the turn's model calls so far."""

    seq: int
    call: Count
    messages: list[Message]


class FileSize(Struct):
    path: Annotated[str, Meta(max_length=MAX_PATH)]
    size: Count


class FileSizes(Struct):
    data: list[FileSize]


class MemoryLine(Struct):
    """A line that holds what was searched for; `line` counts from 1."""

    path: str
    line: Count
    text: str


class MemoryLines(Struct):
    data: list[MemoryLine]


class NewPreview(Struct, forbid_unknown_fields=True):
    """Text of a message that is being written, from character `offset`. It is shown and never stored."""

    message: UUID
    offset: Annotated[int, Meta(ge=0, le=2**31)]
    text: Annotated[str, Meta(min_length=1, max_length=100_000)]


class MeantModel(Struct):
    """What a model's name means. `stored` null is a provider that is configured where the worker runs."""

    provider: str
    model: str
    settings: CallSettings
    prices: Prices | None
    stored: Provider | None


class LentSecret(Struct):
    """The value, to be used and forgotten."""

    value: str
