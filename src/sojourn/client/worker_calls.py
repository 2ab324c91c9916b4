"""The worker's protocol: claim a turn, renew, report what is done and what begins, settle."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal
from uuid import UUID

from sojourn.client.agent_types import RunnerKind
from sojourn.client.calls import Calls
from sojourn.client.memory_types import Memory, MemoryEntries, MemoryEntry, MemoryLine, MemoryLines
from sojourn.client.request import Params, Request, optional, post
from sojourn.client.signals import SignalStream
from sojourn.client.stream_types import LossListener, no_listener
from sojourn.client.worker_types import (
    Claimed,
    ClaimedTurn,
    Conversation,
    Entries,
    Entry,
    FileSize,
    FileSizes,
    LentSecret,
    MeantModel,
    NewAsk,
    ReadyTurn,
    ReadyTurns,
    Renewed,
    Reported,
    Said,
    SettleReason,
    Signal,
)

ENTRIES_PAGE = 1000


class WorkerCalls(Calls):
    """Needs a key of the role worker or admin. `claim` is the name that a claimed turn has.

    Every call for a claim raises LeaseLost once the turn is not the caller's any more; what was begun for it is then
    to be dropped.
    """

    async def claim_turn(
        self,
        worker: str,
        runners: Sequence[RunnerKind] = ("external",),
        pool: str = "default",
        *,
        agents: Sequence[UUID] = (),
        session: UUID | None = None,
        wait_seconds: float = 0,
        idempotency_key: str | None = None,
    ) -> ClaimedTurn | None:
        """Claim a turn of that session or of any, waiting for one where there is none; None if none came."""
        body = {
            "worker": worker,
            "runners": runners,
            "pool": pool,
            "agents": agents,
            "session": session,
            "wait_seconds": wait_seconds,
        }
        claimed = await self._transport.fetch(post("/worker/claims", body, idempotency_key), Claimed)
        return claimed.claimed

    async def ready_turns(
        self, worker: str, runners: Sequence[RunnerKind], pool: str = "default", limit: int = 100
    ) -> list[ReadyTurn]:
        params = [*_listening(worker, runners, pool), ("limit", str(limit))]
        return (await self._transport.fetch(Request("GET", "/worker/ready", params), ReadyTurns)).data

    def signals(
        self,
        worker: str,
        runners: Sequence[RunnerKind],
        pool: str = "default",
        on_loss: LossListener = no_listener,
    ) -> AsyncGenerator[Signal, None]:
        """Which turns are ready, and which are stopped, as it happens and without end."""
        params = _listening(worker, runners, pool)
        return SignalStream(self._transport, params, on_loss).items()

    async def renew_claims(self, worker: str, claims: Sequence[str]) -> list[str]:
        """Say that the worker is alive. Those of the claims that are lost."""
        # A renewal repeated is one renewal later.
        request = Request("POST", "/worker/renewals", (), {"worker": worker, "claims": claims})
        return (await self._transport.fetch(request, Renewed)).lost

    async def report(
        self,
        claim: str,
        events: Sequence[Said] = (),
        intents: Sequence[Said] = (),
        *,
        steers_before: int | None = None,
        entries_after: int | None = None,
        idempotency_key: str | None = None,
    ) -> list[Entry] | None:
        """Write `events`, deliver waiting steers, then write `intents`; with `entries_after` the log behind that seq.

        CallRefused where a budget allows no further call. InvalidRequest for what the turn's log does not allow.
        """
        body = {
            "events": events,
            "intents": intents,
            "steers_before": steers_before,
            "entries_after": entries_after,
        }
        request = post(f"/worker/claims/{claim}/events", body, idempotency_key)
        return (await self._transport.fetch(request, Reported)).entries

    async def settle_turn(
        self,
        claim: str,
        events: Sequence[Said] = (),
        *,
        reason: SettleReason | None = None,
        error: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        """End the turn; with an `error` it has failed."""
        body = {"events": events, "reason": reason, "error": error}
        await self._transport.perform(post(f"/worker/claims/{claim}/settle", body, idempotency_key))

    async def retry_turn(
        self,
        claim: str,
        error: str,
        delay_seconds: float = 1.0,
        events: Sequence[Said] = (),
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """A passing fault: the turn may be claimed again after a while."""
        body = {"events": events, "error": error, "delay_seconds": delay_seconds}
        await self._transport.perform(post(f"/worker/claims/{claim}/retry", body, idempotency_key))

    async def wait_for_asks(
        self,
        claim: str,
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"] = "parked",
        events: Sequence[Said] = (),
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Put questions. `parked` gives the turn back until all are decided, `held` keeps it."""
        body = {"events": events, "asks": asks, "mode": mode}
        await self._transport.perform(post(f"/worker/claims/{claim}/wait", body, idempotency_key))

    async def release_claim(self, claim: str) -> None:
        """Give the turn back, to be claimed at once."""
        await self._transport.perform(post(f"/worker/claims/{claim}/release", {}))

    async def entries(
        self, claim: str, after: int = 0, wait_seconds: int = 0, limit: int = ENTRIES_PAGE
    ) -> list[Entry]:
        """A page of the session's log behind a seq; where there is nothing yet, it is waited for."""
        params = [("after", str(after)), ("limit", str(limit)), ("wait_seconds", str(wait_seconds))]
        request = Request("GET", f"/worker/claims/{claim}/entries", params)
        return (await self._transport.fetch(request, Entries)).data

    async def conversation(self, claim: str) -> Conversation:
        return await self._transport.fetch(
            Request("GET", f"/worker/claims/{claim}/conversation"), Conversation
        )

    async def list_turn_files(self, claim: str) -> list[FileSize]:
        request = Request("GET", f"/worker/claims/{claim}/files")
        return (await self._transport.fetch(request, FileSizes)).data

    async def read_turn_file(self, claim: str, path: str) -> bytes:
        return await self._transport.read(
            Request("GET", f"/worker/claims/{claim}/files/content", [("path", path)])
        )

    async def write_turn_file(self, claim: str, path: str, data: bytes) -> None:
        headers = {"Content-Type": "application/octet-stream"}
        request = Request(
            "PUT",
            f"/worker/claims/{claim}/files/content",
            [("path", path)],
            headers=headers,
            content=data,
        )
        await self._transport.perform(request)

    async def delete_turn_file(self, claim: str, path: str) -> None:
        await self._transport.perform(
            Request("DELETE", f"/worker/claims/{claim}/files/content", [("path", path)])
        )

    async def meant_model(self, name: str) -> MeantModel:
        """What a model's name means. NotFound for one that means nothing."""
        return await self._transport.fetch(Request("GET", "/worker/model", [("name", name)]), MeantModel)

    async def lent_secret(self, name: str) -> str:
        """The value of a stored secret. Forbidden unless the key was made with its name."""
        return (await self._transport.fetch(Request("GET", f"/worker/secrets/{name}"), LentSecret)).value

    async def list_turn_memories(self, claim: str, directory: str = "") -> list[MemoryEntry]:
        """What the agent remembers from its other sessions."""
        request = Request("GET", f"/worker/claims/{claim}/memories", [("directory", directory)])
        return (await self._transport.fetch(request, MemoryEntries)).data

    async def read_turn_memory(self, claim: str, path: str) -> Memory:
        request = Request("GET", f"/worker/claims/{claim}/memories/entry", [("path", path)])
        return await self._transport.fetch(request, Memory)

    async def search_turn_memories(self, claim: str, query: str) -> list[MemoryLine]:
        """The first lines that hold a text, in either case of its letters."""
        request = Request("GET", f"/worker/claims/{claim}/memories/search", [("query", query)])
        return (await self._transport.fetch(request, MemoryLines)).data

    async def write_turn_memory(
        self, claim: str, path: str, text: str, *, if_sha256: str | None = None
    ) -> None:
        """ContentMismatch where another text is there than that of `if_sha256`; `none` says that nothing is."""
        params = [("path", path), *optional("if_sha256", if_sha256)]
        # A repeat finds its own text there, whatever it was to replace.
        request = Request("PUT", f"/worker/claims/{claim}/memories/entry", params, {"text": text})
        await self._transport.perform(request)

    async def delete_turn_memory(self, claim: str, path: str) -> None:
        """NotFound if there is none; also where a try of the same call whose answer was lost has deleted it."""
        request = Request("DELETE", f"/worker/claims/{claim}/memories/entry", [("path", path)])
        await self._transport.perform(request)

    async def preview(self, claim: str, message: UUID, offset: int, text: str) -> None:
        """Show text of a message that is being written, from character `offset`. It is never stored."""
        body = {"message": message, "offset": offset, "text": text}
        await self._transport.perform(Request("POST", f"/worker/claims/{claim}/previews", (), body))


def _listening(worker: str, runners: Sequence[RunnerKind], pool: str) -> Params:
    return [("worker", worker), *(("runner", runner) for runner in runners), ("pool", pool)]
