"""The store's verbs for errands, which `Reads` and `Tx` have with the others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sojourn.domain.errand import Errand


class ErrandReads(Protocol):
    async def due_errands(self, now: datetime, limit: int) -> Sequence[Errand]:
        """Of every organisation, oldest first; a hint: whoever settles one is to do it."""
        ...


class ErrandWrites(Protocol):
    async def insert_errand(self, errand: Errand, due_at: datetime) -> None: ...
    async def settle_errand(self, errand: Errand) -> bool:
        """Take it for this transaction, which does it. False if another has done it; waits for one that does."""
        ...

    async def postpone_errand(self, errand: Errand, due_at: datetime) -> None:
        """It has failed once more. Nothing if somebody else has done it since."""
        ...
