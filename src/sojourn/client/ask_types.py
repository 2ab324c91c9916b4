"""What a turn waits for, and its decisions, as they stand on the wire."""

from datetime import datetime
from typing import Literal, Required, TypedDict
from uuid import UUID

import msgspec

from sojourn.client.types import Json

AskStatus = Literal["open", "decided", "void"]
Decision = Literal["allow", "deny", "answer"]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A question that a turn waits for; `void` when its turn ended before anybody decided.

    The prompt of one about a tool call has its `tool_call_id`, `name` and `arguments`.
    """

    id: UUID
    session: UUID
    turn: UUID
    kind: str
    prompt: dict[str, Json]
    status: AskStatus
    on_expire: Decision | Literal["keep"]
    created_at: datetime
    expires_at: datetime | None


class DecidedAsks(msgspec.Struct, frozen=True, kw_only=True):
    data: list[Ask]


class Decided(TypedDict, total=False):
    """`answer` is a client tool's output, or `{"reason": …}` of a denial; `error` says that the tool failed.

    An approval's answer may be `{"arguments": {…}}`. `always` makes it a rule for every later call in the session.
    """

    decision: Required[Decision]
    answer: Json
    error: str
    always: bool


class CallDecided(Decided):
    tool_call_id: str
