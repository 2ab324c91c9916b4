"""Somebody changes their mind. What they are told depends on how far the turn has got; what they do must not harm."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.chaos.client import Caller


@dataclass(frozen=True, slots=True)
class Meddler:
    """Of one session, just after the input `sent` under `key` was received. `text` is another script for it."""

    caller: Caller
    random: Random
    sent: dict[str, Any]
    key: str
    text: str

    @property
    def session(self) -> str:
        return f"/sessions/{self.sent['session']}"

    async def cancel(self) -> None:
        await self.caller.try_do(f"{self.session}/turns/{self.sent['turn']}/cancel", {}, f"{self.key}-cancel")

    async def withdraw(self) -> None:
        answer = await self.caller.ask("DELETE", f"{self.session}/inputs/{self.sent['id']}")
        if answer.is_success:
            self.caller.witness.withdrawn.add(self.sent["id"])

    async def edit(self) -> None:
        body = {"content": self.text}
        answer = await self.caller.ask("PATCH", f"{self.session}/inputs/{self.sent['id']}", body)
        if answer.is_success:
            self.caller.witness.edited[self.sent["id"]] = self.text

    async def move(self) -> None:
        answer = await self.caller.ask("GET", f"{self.session}/queue")
        queued = [one["id"] for one in answer.json()["data"]] if answer.is_success else []
        if queued:
            input, before = self.random.choice(queued), self.random.choice([*queued, None])
            await self.caller.try_do(
                f"{self.session}/inputs/{input}/move", {"before": before}, f"{self.key}-move", (404, 409, 422)
            )

    async def end(self) -> None:
        await self.caller.try_do(f"{self.session}/end", {"status": "completed"}, f"{self.key}-end")

    async def describe(self) -> None:
        await self.caller.ask("PATCH", self.session, {"title": self.key, "tags": [self.key]})

    async def fork(self) -> None:
        """At any event, and the fork goes on by itself."""
        # Of a session that is about to go it may come too late at every step.
        witness = self.caller.witness
        refused = (404, 409, 422) if (leaves := self.sent["session"] in witness.leaving) else ()
        answer = await self.caller.ask("GET", self.session)
        if leaves and not answer.is_success:
            return
        body = {"at": self.random.randint(1, answer.json()["last_seq"])}
        made = await self.caller.try_make(f"{self.session}/fork", body, f"{self.key}-fork", refused)
        if made is None:
            return
        if leaves:
            witness.leaving.add(made["id"])
        content = {"content": f"go on {self.key}"}
        await self.caller.try_make(
            f"/sessions/{made['id']}/inputs", content, f"{self.key}-fork-input", refused
        )

    async def rewind(self) -> None:
        """To where no turn was open, unless one is now."""
        answer = await self.caller.ask("GET", f"{self.session}/events?type=turn.completed&limit=100")
        ends: list[int] = [event["seq"] for event in answer.json()["data"]] if answer.is_success else []
        body = {"to_seq": self.random.choice([1, *ends])}
        await self.caller.try_do(f"{self.session}/rewind", body, f"{self.key}-rewind", (404, 409, 422))

    async def export(self) -> None:
        answer = await self.caller.ask("GET", f"{self.session}/export")
        if answer.is_success:
            self.caller.witness.exports.append((self.sent["session"], answer.content))

    async def reach_down(self) -> None:
        """Do something to a session below, whoever waits for it."""
        answer = await self.caller.ask("GET", f"{self.session}/tree")
        tree: list[dict[str, Any]] = answer.json()["nodes"] if answer.is_success else []
        below = [node["id"] for node in tree if node["id"] != self.sent["session"]]
        if not below:
            return
        reached = self.random.choice(below)
        self.caller.witness.leaving.add(reached)
        child = f"/sessions/{reached}"
        match self.random.choice(["end", "delete", "interrupt"]):
            case "end":
                await self.caller.try_do(f"{child}/end", {"status": "failed"}, f"{self.key}-child-end")
            case "delete":
                await self.caller.ask("DELETE", child)
            case _:
                body = {"content": f"say instead {self.key}", "delivery": "interrupt"}
                await self.caller.try_make(f"{child}/inputs", body, f"{self.key}-child-input")


Act = Callable[[Meddler], Awaitable[None]]

ACTS: Final[tuple[Act, ...]] = (
    Meddler.cancel,
    Meddler.cancel,
    Meddler.withdraw,
    Meddler.withdraw,
    Meddler.edit,
    Meddler.edit,
    Meddler.move,
    Meddler.move,
    Meddler.end,
    Meddler.describe,
    Meddler.fork,
    Meddler.rewind,
    Meddler.export,
    Meddler.reach_down,
)
# In a session whose turns have ended.
REST_ACTS: Final[tuple[Act, ...]] = (
    Meddler.rewind,
    Meddler.rewind,
    Meddler.fork,
    Meddler.export,
    Meddler.end,
)
# In a session that has others below it.
FAMILY_ACTS: Final[tuple[Act, ...]] = (*ACTS, *(Meddler.reach_down,) * 5, *(Meddler.cancel,) * 3, Meddler.end)
