"""The closed union of what a log can say, one frozen class per type, past tense.

A class is the data of its event at version `v`; the envelope (seq, id, at, turn, tx) stands in `log.py`.
"""

from typing import Final

from sojourn.domain.budget_events import BudgetEvent
from sojourn.domain.compaction_events import CompactionCompleted, CompactionStarted
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.input_events import (
    InputDelivered,
    InputEdited,
    InputMoved,
    InputReceived,
    InputWithdrawn,
)
from sojourn.domain.memory_events import MemoryDeleted, MemoryWritten
from sojourn.domain.model_events import (
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    PlanChanged,
    ThoughtRecorded,
    UsageRecorded,
)
from sojourn.domain.session_events import (
    LeaseAcquired,
    LeaseReleased,
    ProviderSessionLinked,
    SessionCreated,
    SessionEnded,
    SessionExpired,
    SessionForked,
    SessionImported,
    SessionReopened,
    SessionRewound,
    SessionTrimmed,
    SessionUpdated,
)
from sojourn.domain.tool_events import ToolCompleted, ToolDenied, ToolRequested, ToolStarted
from sojourn.domain.turn_events import (
    AskDecided,
    AskOpened,
    TurnCancelled,
    TurnCompleted,
    TurnDeferred,
    TurnFailed,
    TurnQueued,
    TurnReclaimed,
    TurnResumed,
    TurnRetried,
    TurnStarted,
    TurnWaiting,
)

Event = (
    SessionCreated
    | SessionUpdated
    | SessionEnded
    | SessionExpired
    | SessionReopened
    | SessionTrimmed
    | SessionForked
    | SessionImported
    | SessionRewound
    | InputReceived
    | InputEdited
    | InputMoved
    | InputWithdrawn
    | InputDelivered
    | TurnQueued
    | TurnDeferred
    | TurnStarted
    | TurnWaiting
    | TurnResumed
    | TurnRetried
    | TurnReclaimed
    | TurnCompleted
    | TurnFailed
    | TurnCancelled
    | MessageCompleted
    | MessageAbandoned
    | ModelCalled
    | ModelCompleted
    | ToolRequested
    | ToolStarted
    | ToolDenied
    | ToolCompleted
    | AskOpened
    | AskDecided
    | UsageRecorded
    | CompactionStarted
    | CompactionCompleted
    | ThoughtRecorded
    | PlanChanged
    | ProviderSessionLinked
    | BudgetEvent
    | LeaseAcquired
    | LeaseReleased
    | FileWritten
    | FileDeleted
    | MemoryWritten
    | MemoryDeleted
)

EVENT_CLASSES: Final[tuple[type[Event], ...]] = Event.__args__
BY_TYPE: Final[dict[str, type[Event]]] = {cls.type: cls for cls in EVENT_CLASSES}

# What a runner may say for its turn; the rest of the log is said by the verbs themselves. Files and memories are
# written by verbs: an event of any digest would let a runner read what is stored for sessions of others.
RunnerEvent = (
    MessageCompleted
    | MessageAbandoned
    | ModelCalled
    | ModelCompleted
    | ToolRequested
    | ToolStarted
    | ToolDenied
    | ToolCompleted
    | UsageRecorded
    | CompactionStarted
    | CompactionCompleted
    | ThoughtRecorded
    | PlanChanged
    | ProviderSessionLinked
)
RUNNER_CLASSES: Final[tuple[type[RunnerEvent], ...]] = RunnerEvent.__args__
