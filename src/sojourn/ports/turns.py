"""The worker's protocol, and what a runner gets of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sojourn.domain.agent import Agent
from sojourn.domain.ask import NewAsk
from sojourn.domain.events import AskDecided, RunnerEvent
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import AskId, KeyId, MessageId, OrgId, SessionId, TurnId
from sojourn.domain.kinds import Outcome, RunnerKind
from sojourn.domain.log import LogEntry
from sojourn.domain.memory import Expected, Found, Memory, MemoryEntry
from sojourn.ports.endings import Faulted, Parked, Settled


@dataclass(frozen=True, slots=True)
class Ready:
    """A turn that may be claimed."""

    org: OrgId
    session: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of one turn: its holder may write for it while `fence` stands.

    `key` is whose it is: that of a worker outside, which no other key may write for; None in a server's process.
    """

    org: OrgId
    session: SessionId
    turn: TurnId
    fence: int
    key: KeyId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTurn(Claim):
    """What the holder of a claim works with. `model` is None for runners that call none.

    `agent` is the pinned version with what the session adds to it. `alias` is the session's, told to the runner `http`
    only.
    """

    attempt: int
    faults: int
    agent: Agent
    model: str | None
    alias: str | None = None


class Turns(Protocol):
    """The worker's protocol: claim → renew → append → settle. The service implements it, and the client over HTTP.

    Every call but `ready` and `claim` raises LeaseLost once the fence has moved on; an append that announces a model
    call raises CallRefused where a budget does not allow it.
    """

    async def ready(self, runner: RunnerKind, limit: int) -> Sequence[Ready]: ...
    async def claim(self, ready: Ready, worker: str, runners: Collection[RunnerKind]) -> ClaimedTurn | None:
        """None if somebody else was faster, a budget refuses, or the turn's runner is not among `runners`."""
        ...

    async def renew(self, turns: Sequence[ClaimedTurn], worker: str) -> Sequence[ClaimedTurn]:
        """The turns that are lost."""
        ...

    async def append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None: ...
    async def settle(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
    ) -> None: ...
    async def retry(
        self, turn: ClaimedTurn, events: Sequence[RunnerEvent], error: str, delay_seconds: float
    ) -> None: ...
    async def wait(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"],
    ) -> None: ...
    async def give_back(self, turn: ClaimedTurn) -> None:
        """Release the lease of a worker that stops; the turn may be claimed at once."""
        ...

    async def entries_after(
        self, turn: ClaimedTurn, after: int, wait_seconds: float = 0.0
    ) -> Sequence[LogEntry]:
        """The session's log after a seq, with large data filled in.

        Where there is nothing yet, it is waited for, up to `wait_seconds`; this is a held runner's inbox.
        """
        ...

    async def read_file(self, turn: ClaimedTurn, path: str) -> bytes | None: ...
    async def list_files(self, turn: ClaimedTurn) -> Sequence[tuple[str, int]]: ...
    async def write_file(self, turn: ClaimedTurn, path: str, data: bytes) -> None: ...
    async def delete_file(self, turn: ClaimedTurn, path: str) -> bool:
        """False if there was none; WrongState for a directory with something in it, and for what is read-only."""
        ...

    async def list_memories(self, turn: ClaimedTurn, below: str = "") -> Sequence[MemoryEntry]:
        """Those of the turn's agent, below a directory; all of them, of which there are few thousand at most."""
        ...

    async def read_memory(self, turn: ClaimedTurn, path: str) -> Memory | None: ...
    async def search_memories(self, turn: ClaimedTurn, query: str) -> Sequence[Found]: ...
    async def write_memory(
        self, turn: ClaimedTurn, path: str, text: str, expected: Expected | None = None
    ) -> None:
        """AlreadyExists or ContentMismatch, or another Conflict, where not what is `expected` is at the path.

        None expects nothing. A text that is there already is no change.
        """
        ...

    async def delete_memory(self, turn: ClaimedTurn, path: str) -> bool:
        """False if there was none."""
        ...

    def preview(self, turn: ClaimedTurn, message: MessageId, offset: int, text: str) -> None:
        """A token delta for whoever watches, best effort, never stored. `offset` counts characters."""
        ...


class Journal(Protocol):
    """All that a runner gets of ours: the turn it runs, its log, and the ways to write to it."""

    @property
    def turn(self) -> ClaimedTurn: ...
    @property
    def conversation(self) -> Conversation:
        """The fold of the whole log, up to date with every append of this journal."""
        ...

    async def append(
        self,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None: ...
    async def catch_up(self) -> None:
        """Take in what others appended since: steers, decisions."""
        ...

    async def ask(
        self, asks: Sequence[NewAsk], events: Sequence[RunnerEvent] = ()
    ) -> Mapping[AskId, AskDecided]:
        """Put questions and wait, with the lease, until each is decided. Several may be waited for at the same time.

        Meanwhile the runner may append, and put more. LeaseLost if the turn is taken away.
        """
        ...

    async def read_file(self, path: str) -> bytes | None: ...
    async def list_files(self) -> Sequence[tuple[str, int]]: ...
    async def write_file(self, path: str, data: bytes) -> None: ...
    async def delete_file(self, path: str) -> bool: ...
    async def list_memories(self, below: str = "") -> Sequence[MemoryEntry]: ...
    async def read_memory(self, path: str) -> Memory | None: ...
    async def search_memories(self, query: str) -> Sequence[Found]: ...
    async def write_memory(self, path: str, text: str, expected: Expected | None = None) -> None: ...
    async def delete_memory(self, path: str) -> bool: ...
    def preview(self, message: MessageId, offset: int, text: str) -> None: ...


class Runner(Protocol):
    """A way to make a turn happen. It returns what ends this claim; the worker writes it."""

    async def run(self, journal: Journal) -> Settled | Faulted | Parked: ...
