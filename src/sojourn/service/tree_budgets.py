"""Budgets of a session and the tree below it: what is said at the top of it, and what the sessions below are told."""

from collections.abc import Callable

from sojourn.domain.commands import Command, LookAtBudgets, TellOfBudget
from sojourn.domain.errand import Errand
from sojourn.domain.errand import TellOfBudget as Telling
from sojourn.domain.ids import OrgId, SessionId
from sojourn.ports import Clock, Store, Tx
from sojourn.service.trees import children_of
from sojourn.service.verbs import carry_out


class TreeBudgets:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def tell(self, errand: Errand, task: Telling) -> None:
        """Say in the log of a budget's session what a session below has brought it to."""

        async def verb(tx: Tx) -> None:
            if not await tx.settle_errand(errand):
                return
            state = await tx.lock_session(errand.org, task.owner)
            budget = await tx.get_budget(errand.org, task.budget)
            if state is None or budget is None:
                return
            await carry_out(tx, state, TellOfBudget(budget=budget, word=task.word), self._clock.now())

        await self._store.write(verb)

    async def look(self, errand: Errand) -> None:
        """Level by level, so that a session which is started meanwhile is found, or is told by its own parent."""
        level = [errand.session]
        while level:
            below: list[SessionId] = []
            for parent in level:
                for record in await children_of(self._store.reads, errand.org, parent):
                    child = record.session
                    await self._write(errand.org, child.id, LookAtBudgets)
                    below.append(child.id)
            level = below
        await self._store.write(lambda tx: tx.settle_errand(errand))

    async def _write(self, org: OrgId, session: SessionId, command: Callable[[], Command]) -> None:
        async def verb(tx: Tx) -> None:
            state = await tx.lock_session(org, session)
            if state is not None:
                await carry_out(tx, state, command(), self._clock.now())

        await self._store.write(verb)
