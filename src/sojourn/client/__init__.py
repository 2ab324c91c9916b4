"""The Python client of Sojourn's native API: asynchronous, typed, and at ease with a server that comes and goes.

async with Client("http://127.0.0.1:3013", key) as client:
    session = await client.create_session(title="A question")
    async for part in client.ask(session.id, "Why is the sky blue?"):
        match part:
            case TextAdded(text=text):
                print(text, end="", flush=True)
            case TurnClosed(status=status):
                print(f"\\n[{status}]")
            case _:
                pass
"""

from sojourn.client.answer import (
    AnswerPart,
    AnswerReader,
    MessageEnded,
    TextAdded,
    TextVoided,
    TurnClosed,
)
from sojourn.client.client import Client
from sojourn.client.errors import (
    ApiError,
    Conflict,
    Forbidden,
    InputWithdrawn,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    RevisionMismatch,
    ServerFailed,
    ServerUnreachable,
    SojournError,
    Unauthenticated,
    Unavailable,
)
from sojourn.client.stream import LossListener
from sojourn.client.types import (
    Activity,
    Agent,
    AgentRef,
    CaughtUp,
    CreatedSession,
    Delivery,
    EndStatus,
    Event,
    File,
    Gap,
    Input,
    InputStatus,
    Match,
    Matches,
    Page,
    Policy,
    Presence,
    Preview,
    Principal,
    RunnerKind,
    Session,
    SessionStatus,
    StreamItem,
    TextPart,
    Turn,
    TurnEnd,
    TurnStatus,
    Usage,
)

__all__ = [
    "Activity",
    "Agent",
    "AgentRef",
    "AnswerPart",
    "AnswerReader",
    "ApiError",
    "CaughtUp",
    "Client",
    "Conflict",
    "CreatedSession",
    "Delivery",
    "EndStatus",
    "Event",
    "File",
    "Forbidden",
    "Gap",
    "Input",
    "InputStatus",
    "InputWithdrawn",
    "InvalidRequest",
    "LimitExceeded",
    "LossListener",
    "Match",
    "Matches",
    "MessageEnded",
    "NotFound",
    "Page",
    "Policy",
    "Presence",
    "Preview",
    "Principal",
    "RevisionMismatch",
    "RunnerKind",
    "ServerFailed",
    "ServerUnreachable",
    "Session",
    "SessionStatus",
    "SojournError",
    "StreamItem",
    "TextAdded",
    "TextPart",
    "TextVoided",
    "Turn",
    "TurnClosed",
    "TurnEnd",
    "TurnStatus",
    "Unauthenticated",
    "Unavailable",
    "Usage",
]
