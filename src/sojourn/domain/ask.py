"""Asks: questions that a turn waits for. Each has a deadline or waits until somebody decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sojourn.domain.events import AskKind, Json
from sojourn.domain.ids import AskId, TurnId

AskStatus = Literal["open", "decided", "void"]
Decision = Literal["allow", "deny", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question. It is `void` when its turn ended before anybody decided.

    `on_expire` is the decision taken for nobody at `expires_at`; the log then says `timeout`.
    """

    id: AskId
    turn: TurnId
    kind: AskKind
    prompt: Mapping[str, Json]
    created_at: datetime
    status: AskStatus = "open"
    expires_at: datetime | None = None
    on_expire: Decision = "deny"
