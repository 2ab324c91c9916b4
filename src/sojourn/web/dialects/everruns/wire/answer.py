"""Questions of an agent and its calls that somebody has to allow, and what people say to them."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Decision = Literal["allow", "allow_always", "reject", "reject_always"]
Outcome = Decision | Literal["not_approved"]


class Answer(Struct):
    """A secret never travels this way: `secret_ref` is there to be refused."""

    id: str
    selected: list[str] = []
    other_text: str | None = None
    secret_ref: Any = None


class QuestionAnswers(Struct):
    """Without a `tool_call_id` it is about the oldest question."""

    tool_call_id: str | None = None
    status: Literal["answered", "declined"] = "answered"
    answers: Annotated[list[Answer], Meta(max_length=64)] = []


class Answered(Struct):
    status: Literal["answered", "declined"]
    answered_by: Literal["user"]
    session_status: str


class ToolApproval(Struct):
    tool_call_id: str
    decision: Decision


class ToolApprovals(Struct):
    """A call that is left out is not approved: silence allows nothing."""

    decisions: Annotated[list[ToolApproval], Meta(min_length=1, max_length=64)]


class Resolution(Struct):
    tool_call_id: str
    tool: str
    outcome: Outcome


class Resolved(Struct):
    resolved: list[Resolution]
    status: Literal["active"] = "active"


class Option(Struct):
    label: str


class Question(Struct, kw_only=True):
    id: str
    question: str
    kind: Literal["choice", "text"]
    options: list[Option]
    allow_other: bool = True
    multi_select: bool = False


class PendingQuestions(Struct):
    tool_call_id: str
    questions: list[Question]
    expires_at: str | UnsetType = UNSET


class PendingApproval(Struct):
    tool_call_id: str
    tool: str
    arguments: Any
    expires_at: str | UnsetType = UNSET
