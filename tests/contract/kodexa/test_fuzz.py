"""Whatever is sent, the answer is one of the dialect's own."""

from typing import Any, Final
from uuid import uuid4

from tests.contract.kodexa.requirements import covers
from tests.contract.kodexa.surface import Kodexa, as_failure, as_session
from tests.support.chance import Chance

CASES: Final = 2500
SEED: Final = 20_260_301
NAMES: Final = (
    "agentRuntimeId",
    "runtimeSessionId",
    "status",
    "metadata",
    "expiresAt",
    "lastInvokedAt",
    "changeSequence",
    "id",
    "uuid",
    "createdOn",
    "organizationId",
    "organization.id",
    "metadata.a",
    "metadata.a.b",
    "",
    "nothing",
)
TEXTS: Final = (
    "",
    "ACTIVE",
    "TERMINATED",
    "EXPIRED",
    "x" * 300,
    "2031-01-01T00:00:00Z",
    "2023-11-07",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "\0",
    "\ud7ff\ue000\U0010ffff",
    "'",
    "\\",
    '"%_*',
    "null",
)
SOUND: Final[dict[str, Any]] = {
    "status": ("ACTIVE", "TERMINATED", "FAILED", "EXPIRED", "anything"),
    "changeSequence": (0, 1, 2),
    "metadata": ({}, {"a": 1}, {"a": {"b": "x"}}),
    "expiresAt": ("2031-01-01T00:00:00Z", "2023-01-01T00:00:00.5+02:00", None),
    "lastInvokedAt": ("2029-01-01T00:00:00Z", None),
    "runtimeSessionId": ("r", "s"),
}
PIECES: Final = (
    *(
        "==",
        "!=",
        "=like=",
        "=in=",
        ">",
        "<=",
        ":",
        "=",
        " is null",
        " is not null",
        " and ",
        " AND ",
        ";",
        ",",
        "(",
    ),
    *(
        ")",
        "'",
        "' ",
        "'x'",
        '"y"',
        "5",
        "-1.5e3",
        "true",
        "null",
        " or ",
        "\\",
        "''",
        "*",
        " ",
        "é",
        "~",
        "1e400",
    ),
)


class KodexaChance(Chance):
    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.ids = [str(uuid4())]

    def text(self) -> str:
        return self.of((*TEXTS, self.of(self.ids)))

    def body(self) -> dict[str, Any]:
        said = {name: self.of(SOUND[name]) for name in SOUND if self.below(3) == 0}
        if self.below(2):
            said |= {self.of(NAMES): self.value() for _ in range(self.below(4))}
        if self.below(8) == 0:
            said["id"] = self.of(self.ids)
        return {"json": said}

    def bytes(self) -> dict[str, Any]:
        junk = (
            b"",
            b"[",
            b"{}",
            b"null",
            b'{"status":',
            b"\xff\xfe",
            b'{"metadata":{"a":1e999}}',
            b'"\\ud800"',
        )
        return {"content": self.of((*junk, self._random.randbytes(self.below(60))))}

    def expression(self) -> str:
        return "".join(self.of((*NAMES, *PIECES, *PIECES)) for _ in range(self.below(9)))

    def query(self) -> list[tuple[str, str]]:
        parameters = {
            "page": lambda: self.of(("1", "2", "0", "-1", "x", "99999999999999999999", "")),
            "pageSize": lambda: self.of(("1", "20", "1000", "1001", "0", "1e3")),
            "sort": lambda: self.of((*NAMES, *(name + ":desc" for name in NAMES), self.expression())),
            "filter": self.expression,
            "query": self.text,
            "other": self.text,
        }
        return [
            (name, parameters[name]()) for name in (self.of(tuple(parameters)) for _ in range(self.below(5)))
        ]

    def path(self) -> str:
        return "/" + self.of(
            (self.of(self.ids), self.of(self.ids), "x", "%2e%2e", "a/b", "%00", "%ff", "-" * 36, "")
        )

    def request(self) -> tuple[str, str, dict[str, Any]]:
        """Mostly what makes sense, so that what follows it meets something."""
        payload = self.bytes() if self.below(5) == 0 else self.body()
        match self.below(8):
            case 0 | 1:
                return "POST", "", payload
            case 2 | 3:
                return "GET", "", {"params": self.query()}
            case 4 | 5:
                return "PUT", self.path(), payload
            case 6:
                return "GET", self.path(), {}
            case _:
                return self.of(("DELETE", "PATCH", "OPTIONS", "HEAD")), self.path(), {}


@covers("error.body")
async def test_whatever_is_sent_is_answered_in_the_dialects_own_way(kodexa: Kodexa) -> None:
    chance = KodexaChance(SEED)
    statuses: dict[int, int] = {}
    for _ in range(CASES):
        method, path, payload = chance.request()
        answer = await kodexa.ask(method, path, **payload)
        status = answer.status_code
        statuses[status] = statuses.get(status, 0) + 1
        assert status < 500, (method, path, payload, answer.text)
        if method == "HEAD":
            continue
        if status >= 400:
            as_failure(answer, status)
        elif status == 201:
            chance.ids = [*chance.ids[-20:], as_session(answer.json())["id"]]
    assert {200, 201, 204, 400, 404, 405, 409} <= set(statuses)
    assert await kodexa.world.problems() == []
