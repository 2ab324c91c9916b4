"""The store and hub of a chaos server: they count how often they come to a point, and some of them lie."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from sojourn.domain.errand import AnswerParent, Errand
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import SessionRecord, Tombstone
from sojourn.ports import Reads, Store, Tx
from sojourn.service.hub import Hub
from sojourn.store.tx import StoreTx
from tests.chaos.plan import Defect, Killer

T = TypeVar("T")

# How long a defective server lives on after it has said what is not true.
AFTERGLOW_SECONDS: Final = 0.2
# What a transaction runs its statements with.
STATEMENTS: Final = "_db"


class KillingHub(Hub):
    def __init__(self, killer: Killer) -> None:
        super().__init__()
        self._killer = killer

    def publish(self, events: Sequence[StoredEvent]) -> None:
        self._killer.hit("before_publish")
        super().publish(events)


class WatchedTx:
    """A transaction that remembers which errand it was to carry out. It passes everything on."""

    def __init__(self, tx: Tx) -> None:
        assert isinstance(tx, StoreTx)
        self.own = tx
        self.errand: Errand | None = None
        # Whether a log was cut or a session removed, and how much of their history.
        self.retires = False
        self.purged = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    async def settle_errand(self, errand: Errand) -> bool:
        self.errand = errand
        return await self.own.settle_errand(errand)

    async def cut_log(self, org: OrgId, session: SessionId, first_seq: int) -> None:
        self.retires = True
        await self.own.cut_log(org, session, first_seq)

    async def delete_session(self, record: SessionRecord, tombstone: Tombstone) -> None:
        self.retires = True
        await self.own.delete_session(record, tombstone)

    async def purge_cut_logs(self, limit: int) -> int:
        self.purged += (purged := await self.own.purge_cut_logs(limit))
        return purged

    async def purge_deleted(self, now: datetime, limit: int) -> int:
        self.purged += (purged := await self.own.purge_deleted(now, limit))
        return purged

    @property
    def decides(self) -> bool:
        return any(event.type == "ask.decided" for event in self.own.appended)


class KillingStore:
    def __init__(self, store: Store, killer: Killer) -> None:
        self._store = store
        self._killer = killer

    @property
    def reads(self) -> Reads:
        return self._store.reads

    @property
    def applied(self) -> Sequence[str]:
        return self._store.applied

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        errands: list[Errand] = []

        async def watched(tx: Tx) -> T:
            watch = self._watch(tx)
            # A watch has all that a transaction has, most of it by passing it on.
            result = await verb(cast(Tx, watch))
            self._before_commit(watch)
            if watch.errand is not None:
                errands.append(watch.errand)
            return result

        result = await self._store.write(watched)
        if errands:
            self._killer.hit("after_errand")
        self._killer.hit("before_answer")
        return result

    def _watch(self, tx: Tx) -> WatchedTx:
        return WatchedTx(tx)

    def _before_commit(self, watch: WatchedTx) -> None:
        if watch.errand is not None:
            self._killer.hit("before_errand")
        if watch.decides:
            self._killer.hit("before_decision")
        if watch.retires:
            self._killer.hit("before_cut")
        if watch.purged:
            self._killer.hit("before_purge")
        self._killer.hit("before_commit")

    async def time(self) -> datetime:
        return await self._store.time()

    def on_errands(self, told: Callable[[], None]) -> None:
        self._store.on_errands(told)

    async def close(self) -> None:
        await self._store.close()


class _RolledBack(Exception):
    """Ends a transaction whose result was told already."""


class LyingStore(KillingStore):
    """Answers, or publishes, what it does not store, and dies a little later: the crash of one that does so early."""

    def __init__(self, store: Store, killer: Killer, hub: Hub | None) -> None:
        super().__init__(store, killer)
        self._hub = hub

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        results: list[T] = []

        async def lying(tx: Tx) -> T:
            watch = self._watch(tx)
            result = await verb(cast(Tx, watch))
            # A store may run a verb that failed once more.
            if results:
                raise _RolledBack
            is_due = watch.decides and self._killer.is_due("before_decision")
            if is_due or self._killer.is_due("before_commit"):
                results.append(result)
                self._tell(watch.own.appended)
                raise _RolledBack
            return result

        try:
            return await self._store.write(lying)
        except _RolledBack:
            asyncio.get_running_loop().call_later(AFTERGLOW_SECONDS, self._killer.kill)
            if self._hub is None:
                return results[0]
            return await asyncio.Future()

    def _tell(self, events: Sequence[StoredEvent]) -> None:
        if self._hub is not None:
            self._hub.publish(events)


class HastyStore(KillingStore):
    """Marks an errand as done, and dies before it is."""

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        due: list[Errand] = []

        async def hasty(tx: Tx) -> T:
            watch = self._watch(tx)
            result = await verb(cast(Tx, watch))
            if watch.errand is not None and (due or self._killer.is_due("before_errand")):
                due[:] = [watch.errand]
                raise _RolledBack
            return result

        try:
            return await self._store.write(hasty)
        except _RolledBack:
            await self._store.write(lambda tx: tx.settle_errand(due[0]))
            self._killer.kill()
            return await asyncio.Future()


class _Deaf(WatchedTx):
    """Takes every ask that waits for a session for one that nobody has decided yet."""

    async def get_ask(self, *place: Any) -> Any:
        ask = await self.own.get_ask(*place)
        return ask if ask is None or self.errand is None else replace(ask, status="open")


class RepeatingStore(KillingStore):
    """Does what tells a parent of a child's end once more."""

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        told: list[Errand] = []

        async def first(tx: Tx) -> T:
            watch = self._watch(tx)
            result = await verb(cast(Tx, watch))
            if watch.errand is not None and isinstance(watch.errand.task, AnswerParent):
                told[:] = [watch.errand]
            return result

        async def again(tx: Tx) -> T:
            await tx.insert_errand(told[0], datetime.fromtimestamp(0).astimezone())
            return await verb(cast(Tx, _Deaf(tx)))

        result = await self._store.write(first)
        if told:
            await self._store.write(again)
        return result


class _Keeping(WatchedTx):
    """Cuts logs and leaves no word of what there is to be removed then."""

    async def cut_log(self, org: OrgId, session: SessionId, first_seq: int) -> None:
        await super().cut_log(org, session, first_seq)
        place = {"org": org, "session": session, "upto": first_seq}
        await getattr(self.own, STATEMENTS).run("delete_trim", place)


class KeepingStore(KillingStore):
    def _watch(self, tx: Tx) -> WatchedTx:
        return _Keeping(tx)


class CuttingStore(KillingStore):
    """Cuts a log as soon as a model has answered in it."""

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        async def cutting(tx: Tx) -> T:
            result = await verb(tx)
            for event in cast(WatchedTx, tx).own.appended:
                if event.type == "model.completed":
                    await tx.cut_log(event.org, event.session, event.seq)
            return result

        return await super().write(cutting)


BROKEN: Final[Mapping[Defect | None, type[KillingStore]]] = {
    "early_settle": HastyStore,
    "told_twice": RepeatingStore,
    "cuts_running": CuttingStore,
    "keeps_cut": KeepingStore,
}


def wrapped(store: Store, killer: Killer, hub: Hub, defect: Defect | None) -> Store:
    match defect:
        case "early_answer":
            return LyingStore(store, killer, None)
        case "early_publish":
            return LyingStore(store, killer, hub)
        case _:
            return BROKEN.get(defect, KillingStore)(store, killer)
