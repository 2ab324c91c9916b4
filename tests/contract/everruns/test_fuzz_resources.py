"""Whatever is sent about files, budgets and channels, the answer is one of the dialect's own."""

from typing import Any, Final
from uuid import UUID

from tests.contract.everruns.chance import Chance
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, as_problem, id_of

CASES: Final = 1_600
SEED: Final = 20_261_122
SOUND: Final[dict[str, tuple[Any, ...]]] = {
    "content": ("", "text", "AAE="),
    "encoding": ("text", "base64", None),
    "is_readonly": (True, False, False),
    "is_directory": (True, False, None),
    "src_path": ("a", "/d/b", "/d"),
    "dst_path": ("c", "/e/f", "_x"),
    "path": ("a", "/", "/d"),
    "pattern": ("t", "(", "."),
    "path_pattern": ("*", None),
    "subject_type": ("session", "session", "agent"),
    "currency": ("usd", "tokens", "turns"),
    "limit": (1, 2.5, 10**6),
    "soft_limit": (1, None),
    "status": ("active", "paused", "disabled"),
    "metadata": ({}, {"a": 1}, None),
    "amount": (1, 0.5),
    "title": ("t", None),
    "message": ({"role": "user", "content": [{"type": "text", "text": "x"}]}, {"content": []}),
    "answers": ([{"id": "question", "selected": ["a"]}], []),
    "decisions": ([{"tool_call_id": "a", "decision": "allow"}], [{}]),
}
FILES: Final = (
    "a",
    "d/b",
    "d",
    "",
    "_x",
    "_/stat",
    "_/move",
    "_/copy",
    "_/other",
    "%00",
    "%2e%2e/a",
    "x" * 501,
    "%ff",
)
QUERIES: Final = (
    *("", "", "", "?limit=1", "?limit=0", "?offset=1", "?recursive=true", "?recursive=1", "?page_token=x"),
    *(
        "?after_sequence=0",
        "?after_sequence=-1",
        "?since_id=x",
        "?subject_id=x",
        "?search=%25",
        "?=",
        "?a=%ff",
    ),
)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
CALLS: Final = ("messages", "cancel", "question-answers", "tool-approvals")


class Places:
    """Paths of things that are there, and of things that are not."""

    def __init__(self, session: UUID, agent: UUID) -> None:
        self.budgets = [id_of("bdgt", UUID(int=1)), "bdgt_x"]
        self.sessions = [id_of("session", session), id_of("session", UUID(int=1)), "x"]
        self._workspaces = [id_of("wsp", session), id_of("wsp", session), id_of("wsp", UUID(int=1)), "wsp_x"]
        self._channels = [id_of("apichan", agent), "default", "nobody", "apichan_x"]

    def draw(self, chance: Chance) -> tuple[str, str]:
        """A method and a path, which mostly go together."""
        session = chance.of(self.sessions)
        channel = f"/channels/{chance.of(self._channels)}"
        budget = f"/budgets/{chance.of(self.budgets)}"
        fs = f"/workspaces/{chance.of(self._workspaces)}/fs"
        methods, path = chance.of(
            (
                ("GET POST PUT DELETE", f"{fs}/{chance.of(FILES)}"),
                ("GET POST PUT DELETE", f"{fs}/{chance.of(FILES)}"),
                ("POST", f"{fs}/_/{chance.of(('move', 'copy', 'stat', 'grep'))}"),
                ("GET POST", chance.of(("/workspaces", fs))),
                ("GET PATCH DELETE", f"/workspaces/{chance.of(self._workspaces)}"),
                ("GET POST POST", "/budgets"),
                ("GET PATCH DELETE", budget),
                ("POST", f"{budget}/top-up"),
                ("GET", f"{budget}/{chance.of(('ledger', 'check'))}"),
                ("GET", f"/sessions/{session}/{chance.of(('budgets', 'budget-check'))}"),
                ("POST", f"/sessions/{session}/resume"),
                ("GET", channel),
                ("GET POST", f"{channel}/sessions"),
                ("POST", f"{channel}/runtime-auth"),
                ("GET", f"{channel}/sessions/{session}"),
                ("GET", f"{channel}/sessions/{session}/events"),
                ("POST", f"{channel}/sessions/{session}/{chance.of(CALLS)}"),
            )
        )
        return chance.of(METHODS if chance.below(12) == 0 else methods.split()), path


@covers("files.fuzz")
async def test_whatever_is_sent_about_files_budgets_and_channels_is_answered(everruns: Everruns) -> None:
    session = await everruns.native()
    agent = (await everruns.services.agents.find(everruns.org, "default")).id
    chance, places = Chance(SEED), Places(session, agent)
    sound = SOUND | {"subject_id": (places.sessions[0], places.sessions[0], "x")}
    statuses: dict[int, int] = {}
    for _ in range(CASES):
        method, place = places.draw(chance)
        path = place + chance.of(QUERIES)
        payload = {} if method in ("GET", "HEAD") else chance.payload(sound, required=chance.required(sound))
        end_user = {"end-user": chance.of(("alice", "", "x" * 300))} if chance.below(8) == 0 else {}
        answer = await everruns.ask(method, path, headers=end_user, **payload)
        status = answer.status_code
        statuses[status] = statuses.get(status, 0) + 1
        assert status < 500, (method, path, payload, answer.text)
        if status >= 400 and method != "HEAD":
            as_problem(answer, status)
        elif status == 201 and path.startswith("/budgets"):
            places.budgets = [*places.budgets[-8:], answer.json()["id"]]
    assert {200, 201, 204, 400, 403, 404, 405, 409} <= set(statuses), statuses
