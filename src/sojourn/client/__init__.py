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

from sojourn.client.agent_types import Agent, AgentRef, Compaction, Policy, RunnerKind, SubSessions
from sojourn.client.answer import (
    AnswerPart,
    AnswerReader,
    MessageEnded,
    TextAdded,
    TextVoided,
    TurnAsked,
    TurnClosed,
)
from sojourn.client.ask_types import Ask, CallDecided, Decided, Decision
from sojourn.client.budget_types import Budget, BudgetCheck, BudgetEntry, BudgetStatus, Currency
from sojourn.client.capability_types import CapabilityKind
from sojourn.client.client import Client
from sojourn.client.errors import (
    ApiError,
    CallRefused,
    Conflict,
    ContentMismatch,
    Forbidden,
    InputWithdrawn,
    InvalidRequest,
    LeaseLost,
    LimitExceeded,
    NotFound,
    RevisionMismatch,
    ServerFailed,
    ServerUnreachable,
    SojournError,
    Unauthenticated,
    Unavailable,
)
from sojourn.client.file_types import File, Match, Matches
from sojourn.client.key_types import Key, KeyLimits, MadeKey
from sojourn.client.memory_types import Memory, MemoryEntry, MemoryLine, MemoryWriter
from sojourn.client.org_types import Organisation
from sojourn.client.stream_types import CaughtUp, Event, Gap, LossListener, Preview, StreamItem
from sojourn.client.tool_types import Capability, ClientTool, DetailedRule
from sojourn.client.turn import MessageWriter
from sojourn.client.turn import Turn as OutsideTurn
from sojourn.client.turn_types import Decision as AskDecision
from sojourn.client.turn_types import ToolRun
from sojourn.client.types import (
    Activity,
    CreatedSession,
    Delivery,
    EndStatus,
    HeldPresence,
    Input,
    InputStatus,
    Overlay,
    Page,
    Parent,
    Presence,
    Principal,
    Session,
    SessionStatus,
    SessionTree,
    TextPart,
    TreeNode,
    Turn,
    TurnEnd,
    TurnStatus,
    Usage,
)
from sojourn.client.worker import Worker
from sojourn.client.worker_steps import Handler
from sojourn.client.worker_types import (
    ClaimedTurn,
    Conversation,
    Entry,
    Listening,
    Message,
    MessagePart,
    NewAsk,
    ReadyTurn,
    Said,
    Signal,
    StoppedTurn,
)

__all__ = [
    "Activity",
    "Agent",
    "AgentRef",
    "AnswerPart",
    "AnswerReader",
    "ApiError",
    "Ask",
    "AskDecision",
    "Budget",
    "BudgetCheck",
    "BudgetEntry",
    "BudgetStatus",
    "CallDecided",
    "CallRefused",
    "Capability",
    "CapabilityKind",
    "CaughtUp",
    "ClaimedTurn",
    "Client",
    "ClientTool",
    "Compaction",
    "Conflict",
    "ContentMismatch",
    "Conversation",
    "CreatedSession",
    "Currency",
    "Decided",
    "Decision",
    "Delivery",
    "DetailedRule",
    "EndStatus",
    "Entry",
    "Event",
    "File",
    "Forbidden",
    "Gap",
    "Handler",
    "HeldPresence",
    "Input",
    "InputStatus",
    "InputWithdrawn",
    "InvalidRequest",
    "Key",
    "KeyLimits",
    "LeaseLost",
    "LimitExceeded",
    "Listening",
    "LossListener",
    "MadeKey",
    "Match",
    "Matches",
    "Memory",
    "MemoryEntry",
    "MemoryLine",
    "MemoryWriter",
    "Message",
    "MessageEnded",
    "MessagePart",
    "MessageWriter",
    "NewAsk",
    "NotFound",
    "Organisation",
    "OutsideTurn",
    "Overlay",
    "Page",
    "Parent",
    "Policy",
    "Presence",
    "Preview",
    "Principal",
    "ReadyTurn",
    "RevisionMismatch",
    "RunnerKind",
    "Said",
    "ServerFailed",
    "ServerUnreachable",
    "Session",
    "SessionStatus",
    "SessionTree",
    "Signal",
    "SojournError",
    "StoppedTurn",
    "StreamItem",
    "SubSessions",
    "TextAdded",
    "TextPart",
    "TextVoided",
    "ToolRun",
    "TreeNode",
    "Turn",
    "TurnAsked",
    "TurnClosed",
    "TurnEnd",
    "TurnStatus",
    "Unauthenticated",
    "Unavailable",
    "Usage",
    "Worker",
]
