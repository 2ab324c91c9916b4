"""A session's place in the tree of sessions that start one another."""

from dataclasses import dataclass
from typing import Final

from sojourn.domain.ids import AskId, SessionId, TurnId

# However much an agent allows, no session stands further below the top of its tree than this.
MAX_DEPTH: Final = 8
# Nor asks any session for more children than this.
MAX_CHILDREN: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """`ancestors` are those above the session, from the top of the tree down to its parent.

    `turn` and `ask` are the parent's, for which the session was started; while it is `awaited`, that ask waits for it.
    `children` counts the sessions that it has ever asked to be started. `budgeted` says that a session above has or
    had a budget: without it no verb looks for one.
    """

    ancestors: tuple[SessionId, ...] = ()
    turn: TurnId | None = None
    ask: AskId | None = None
    awaited: bool = False
    children: int = 0
    budgeted: bool = False

    @property
    def parent(self) -> SessionId | None:
        return self.ancestors[-1] if self.ancestors else None

    @property
    def depth(self) -> int:
        """0 at the top of a tree."""
        return len(self.ancestors)


# One object for "none", which most sessions have: the hot paths ask for it by identity.
NO_KIN: Final = Kin()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubSessions:
    """Which sessions an agent may start: of `agents`, by name or id (None: of any), how deep in a tree, how many."""

    agents: tuple[str, ...] | None = None
    max_depth: int = 3
    max_children: int = 100


ANY_SESSIONS: Final = SubSessions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Who started a session, and for what."""

    session: SessionId
    turn: TurnId
    ask: AskId


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the prompt of an ask of kind `session` says of the session that is to be started."""

    id: SessionId
    agent: str
    message: str
    title: str | None = None
