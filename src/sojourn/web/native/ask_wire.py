"""Asks in the native API's own format."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.native.wire import Instant

AskStatus = Literal["open", "decided", "void"]
AskKind = Literal["approval", "client_tool", "question", "session"]
Decision = Literal["allow", "deny", "answer"]
Answer = Annotated[Any, Meta(description="Any JSON of at most 1 MiB, 64 levels deep.")]


class Ask(Struct):
    """A question that a turn waits for. `on_expire` is decided at `expires_at` if nobody has decided before; one
    without that deadline is kept until somebody decides.

    The prompt of an ask about a tool call has its `tool_call_id`, `name` and `arguments`.
    """

    id: UUID
    session: UUID
    turn: UUID
    kind: AskKind
    prompt: dict[str, Any]
    status: AskStatus
    on_expire: Decision | Literal["keep"]
    created_at: Instant
    expires_at: Instant | None


class AskDecision(Struct, forbid_unknown_fields=True):
    """`answer` is the output of a client's tool, or of a denial `{"reason": …}` or just the text. `error` says that the
    tool failed.

    An approval may have `{"arguments": {…}}` as its answer: the tool then runs with these. `always` makes it a rule of
    the session's overlay for every later call of that tool.
    """

    decision: Decision
    answer: Answer = None
    error: str | UnsetType = UNSET
    always: bool = False


class CallDecision(AskDecision, forbid_unknown_fields=True, kw_only=True):
    tool_call_id: Annotated[str, Meta(max_length=1000)]


class CallDecisions(Struct, forbid_unknown_fields=True):
    """Each is about the open ask of its tool call. All are taken, or none."""

    decisions: Annotated[list[CallDecision], Meta(min_length=1, max_length=1000)]


class DecidedAsks(Struct):
    data: list[Ask]


class Asks(Struct):
    data: list[Ask]
    next_cursor: str | None
