"""Where the turns of workers outside stand, kept from one report to the next: a long turn's log is read once.

What is kept was read in a transaction that may have been lost with its commit, and its seqs given again. So it is
gone on with only where the event that it ended at still stands there.
"""

from dataclasses import dataclass
from typing import Final

from sojourn.domain.draft import State
from sojourn.domain.ids import EventId, OrgId, SessionId, TurnId
from sojourn.domain.log import StoredEvent
from sojourn.domain.reports import REPORT_TYPES, Account
from sojourn.domain.turn import Turn
from sojourn.ports import Tx
from sojourn.service.codec import read_entry
from sojourn.service.verbs import PAGE

# The oldest goes for a new one; its turn's log is read again if that goes on.
MAX_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """An account, and the event that it ends at."""

    turn: TurnId
    seq: int
    event: EventId
    account: Account


class Accounts:
    def __init__(self) -> None:
        self._kept: dict[tuple[OrgId, SessionId], _Kept] = {}

    async def read(self, tx: Tx, state: State) -> Account:
        """Where the open turn of a locked session stands; what is done to the account is done to nobody else's."""
        turn, place = state.turn, (state.session.org, state.session.id)
        kept = self._kept.pop(place, None)
        if turn is None:
            return Account()
        account, events = await self._go_on(tx, place, turn, kept)
        for event in events:
            account.extend([await read_entry(tx, event)])
        if events:
            kept = _Kept(turn.id, events[-1].seq, events[-1].id, account.without_words())
        if kept is not None:
            if len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[place] = kept
        return account

    async def _go_on(
        self, tx: Tx, place: tuple[OrgId, SessionId], turn: Turn, kept: _Kept | None
    ) -> tuple[Account, list[StoredEvent]]:
        """What is known of the turn, and the events behind that."""
        if kept is not None and kept.turn == turn.id:
            events = await _events(tx, place, turn, kept.seq - 1)
            if events and events[0].id == kept.event:
                return kept.account.without_words(), events[1:]
        return Account(), await _events(tx, place, turn, turn.first_seq - 1)


async def _events(tx: Tx, place: tuple[OrgId, SessionId], turn: Turn, after: int) -> list[StoredEvent]:
    found: list[StoredEvent] = []
    while events := await tx.events_after(*place, after, PAGE, REPORT_TYPES):
        found += [event for event in events if event.turn == turn.id]
        after = events[-1].seq
        if len(events) < PAGE:
            break
    return found
