"""What a caller of one agent sees: its card, and its sessions without anything that only their owner needs."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.dialects.everruns.wire.answer import PendingApproval, PendingQuestions

ChannelStatus = Literal["started", "active", "idle", "waitingforinput", "failed"]
Outcome = Literal["completed", "failed", "cancelled"]


class CardAuth(Struct, frozen=True):
    type: Literal["agent_key"] = "agent_key"


class CardInput(Struct, frozen=True):
    text: bool = True
    images: bool = False
    files: bool = False


class CardLinks(Struct):
    sessions: str


class AgentCard(Struct, kw_only=True):
    name: str
    links: CardLinks
    description: str | UnsetType = UNSET
    streaming: bool = True
    input: CardInput = CardInput()
    auth: tuple[CardAuth, ...] = (CardAuth(),)


class NewChannelSession(Struct):
    title: str | None = None
    metadata: dict[str, Any] | None = None


class ChannelSessions(Struct):
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    page_token: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET


class ChannelEvents(Struct):
    after_sequence: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class ChannelSession(Struct, kw_only=True):
    id: str
    status: ChannelStatus
    created_at: str
    updated_at: str
    title: str | UnsetType = UNSET
    last_turn_status: Outcome | UnsetType = UNSET
    pending_questions: list[PendingQuestions] | UnsetType = UNSET
    pending_approvals: list[PendingApproval] | UnsetType = UNSET


class ChannelPage(Struct):
    data: list[ChannelSession]
    next_page_token: str | UnsetType = UNSET
