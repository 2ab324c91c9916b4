"""Errands: what a transaction has left to be done to another session is done after its commit, once.

Whoever does one settles it in the transaction that does it, so that it is done or still there, whatever process is lost
and wherever; and of two processes that do it at once the second finds it settled.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from sojourn.domain.errand import (
    AnswerParent,
    EndChildren,
    Errand,
    LookAtBudgets,
    StartChild,
    StopChild,
    TellOfBudget,
)
from sojourn.domain.errors import StoreUnavailable
from sojourn.ports import Clock, Store
from sojourn.service.children import Children
from sojourn.service.tree_budgets import TreeBudgets
from sojourn.telemetry import counters

log = logging.getLogger(__name__)

# Other processes' errands are looked for this often: theirs are done by themselves, unless they are gone.
TICK_SECONDS: Final = 2.0
AT_ONCE: Final = 50
FIRST_WAIT: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(minutes=10)


class Errands:
    def __init__(self, store: Store, clock: Clock, children: Children, budgets: TreeBudgets) -> None:
        self._store = store
        self._clock = clock
        self._children = children
        self._budgets = budgets
        self._wake = asyncio.Event()
        store.on_errands(self._wake.set)

    async def run(self) -> None:
        """Do them until cancelled. A round that fails is logged and the next one tries again."""
        while True:
            self._wake.clear()
            try:
                while await self.do_due():
                    pass
            except StoreUnavailable:
                log.warning("the store cannot be asked for errands; trying again")
            except Exception:
                log.exception("doing errands failed; the next round tries again")
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def do_due(self) -> int:
        """Do what is due; how much that was."""
        due = await self._store.reads.due_errands(self._clock.now(), AT_ONCE)
        await asyncio.gather(*(self._try(errand) for errand in due))
        return len(due)

    async def _try(self, errand: Errand) -> None:
        """One that fails is tried again later, and does not hold up the others."""
        try:
            await self._doing(errand)()
        except StoreUnavailable:
            raise
        except Exception:
            counters.errands_failed += 1
            log.exception("an errand of session %s failed and is tried again", errand.session)
            wait = min(FIRST_WAIT * 2 ** min(errand.attempts, 20), LONGEST_WAIT)
            due_at = self._clock.now() + wait
            await self._store.write(lambda tx: tx.postpone_errand(errand, due_at))
        else:
            counters.errands_done += 1

    def _doing(self, errand: Errand) -> Callable[[], Awaitable[None]]:
        children, budgets = self._children, self._budgets
        match errand.task:
            case StartChild() as task:
                return lambda: children.start(errand, task)
            case AnswerParent() as task:
                return lambda: children.answer(errand, task)
            case StopChild() as task:
                return lambda: children.stop(errand, task)
            case EndChildren() as task:
                return lambda: children.end(errand, task)
            case TellOfBudget() as task:
                return lambda: budgets.tell(errand, task)
            case LookAtBudgets():
                return lambda: budgets.look(errand)
