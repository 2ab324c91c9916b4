"""Whatever is sent, the answer is one of the dialect's own."""

import json
import random
from typing import Any, Final

from sojourn.web.dialects.membrane import wire
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import Membrane, absent, answer_to, as_failure, as_session
from tests.support.chance import Chance

CASES: Final = 2500
SEED: Final = 20_260_301
TEXTS: Final = (
    "",
    "x",
    "x" * 3000,
    "running",
    "idle",
    "2031-01-01T00:00:00Z",
    "2026-03-01T10:00Z",
    "0000-00-00T00:00:00Z",
    "\0",
    "\ud7ff\ue000\U0010ffff",
    "'",
    "\\",
    '"%_*',
    "null",
    "true",
    "</script><script>alert(1)</script>",
)
SOUND: Final[dict[str, Any]] = {
    "prompt": ("hello", "<b>"),
    "input": ("more", "again"),
    "workspaceElementType": wire.ElementType.__args__,
    "workspaceElementId": ("e1", "e2"),
    "testCustomerId": ("", "c"),
    "isExternal": (True, False),
    "modelId": wire.ModelId.__args__,
    "agentName": wire.AgentName.__args__,
    "agentHarnessId": ("h",),
    "promptAttachments": ([], [{"title": "t", "data": {"a": [None]}}]),
    "attachments": ([], [{"title": "t", "data": None}]),
    "synthetic": (True, False),
    "state": ("busy", "idle"),
    "status": ("queued", "starting", "running", "completed", "failed", "cancelled"),
    "title": ("T", ""),
    "summary": ("S", ""),
    "output": ({}, {"a": {"b": None}}),
    "error": ({"message": "m"}, {"message": "m", "type": "internal", "causedByError": {"message": "n"}}),
    "lastActivityAt": ("2029-12-31T23:59:59.123Z", 1_800_000_000_000, 1.5, 0, -1),
    "opencodeSessionUuid": ("u",),
}
PARAMETERS: Final[dict[str, Any]] = {
    "limit": ("1", "5", "1000", "0", "1001", "5.5", "x", ""),
    "cursor": ("", "AAAA", "x", "%00", "é"),
    "status": ("queued", "running", "completed", "bogus"),
    "workspaceElementType": ("customer", "flow", "x"),
    "workspaceElementId": ("e1", "acme", ""),
    "agentHarnessId": ("h", ""),
    "isExternal": ("true", "0", "x"),
    "startDatetime": ("2029-01-01T00:00:00Z", "x"),
    "endDatetime": ("2031-01-01T00:00:00.5Z", "2026-02-30T00:00:00Z"),
    "wait": ("false", "0", ""),
    "timeout": ("1", "60", "0", "61", "x"),
    "token": ("x",),
    "other": ("x", "\0"),
}


class MembraneChance(Chance):
    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.ids = [absent()]

    def text(self) -> str:
        return self.of((*TEXTS, self.of(self.ids)))

    def payload(self, needed: str | None) -> dict[str, Any]:
        if self.below(6) == 0:
            junk = (
                b"",
                b"[",
                b"{}",
                b"null",
                b'{"prompt":',
                b"\xff",
                b'{"output":{"a":1e999}}',
                b'"\\ud800"',
            )
            return {"content": self.of((*junk, self._random.randbytes(self.below(60))))}
        said = {name: self.of(SOUND[name]) for name in SOUND if self.below(6) == 0}
        if needed is not None:
            said[needed] = self.of(SOUND[needed])
        if self.below(3) == 0:
            said |= {self.of(SOUND): self.value() for _ in range(self.below(3))}
        return {"content": json.dumps(said).encode()}

    def query(self) -> list[tuple[str, str]]:
        names = [self.of(PARAMETERS) for _ in range(self.below(4))]
        return [(name, self.of(PARAMETERS[name])) for name in names]

    def id(self) -> str:
        odd = ("x", "%2e%2e", "a/b", "%00", "%ff", "-" * 36, "", "0" * 32, self.of(self.ids).upper())
        return self.of(odd) if self.below(6) == 0 else self.of(self.ids)

    def request(self) -> tuple[str, str, dict[str, Any]]:
        """Mostly what makes sense, so that what follows it meets something."""
        one = f"/{self.id()}"
        of_one: list[tuple[str, str, dict[str, Any]]] = [
            *[("POST", "", self.payload("prompt"))] * 2,
            ("GET", "", {"params": self.query()}),
            ("GET", one, {"params": self.query()}),
            *[("PATCH", one, self.payload(None))] * 2,
            *[("POST", f"{one}/message", self.payload("input"))] * 2,
            ("POST", f"{one}/interrupt", {}),
            ("PATCH", f"{one}/stop", {}),
            ("GET", f"{one}/messages", {}),
            (self.of(("DELETE", "PUT", "OPTIONS", "HEAD", "GET")), f"{one}/{self.text()[:9]}", {}),
        ]
        return self.of(of_one)


@covers("error.body", "shape.no-null")
async def test_whatever_is_sent_is_answered_in_the_dialects_own_way(on_sqlite: Membrane) -> None:
    chance, world = MembraneChance(SEED), on_sqlite.world
    callers = [on_sqlite, on_sqlite, on_sqlite.seen_as(), on_sqlite.seen_as("umbrella")]
    statuses: dict[int, int] = {}
    for number in range(CASES):
        method, path, payload = chance.request()
        answer = await chance.of(callers).ask(method, path.replace("\0", ""), **payload)
        status = answer.status_code
        statuses[status] = statuses.get(status, 0) + 1
        assert status < 500, (method, path, payload, answer.text)
        if method == "HEAD":
            continue
        if status >= 400:
            as_failure(answer, status)
            continue
        body = answer.json()
        if isinstance(body, dict) and "id" in body:
            chance.ids = [*chance.ids[-20:], as_session(body)["id"]]
        if number % 10 == 0:
            await _work(on_sqlite, chance)
    assert {200, 400, 404, 405} <= set(statuses)
    assert statuses[200] > CASES / 3
    assert await world.problems() == []


async def _work(membrane: Membrane, chance: MembraneChance) -> None:
    """Let a worker take what is ready, so that sessions run and end."""
    turns = membrane.world.services.turns
    for ready in await turns.ready("model", 3):
        turn = await turns.claim(ready, "worker", ("model",))
        if turn is not None and chance.below(2):
            await turns.settle(turn, await answer_to(membrane.world, turn, "done"))


@covers("auth.refuses")
async def test_whatever_is_sent_as_a_token_is_refused(on_sqlite: Membrane) -> None:
    chance = random.Random(SEED)
    good = on_sqlite.token
    for _ in range(300):
        cut = chance.randrange(len(good))
        token = good[:cut] + chance.choice("AZ09-_.~") + good[cut + chance.randrange(3) :]
        answer = await on_sqlite.ask("GET", headers={"authorization": f"Bearer {token}"})
        # The last character holds bits that no byte is made of.
        assert answer.status_code == 401 or token[:-1] == good[:-1], token
