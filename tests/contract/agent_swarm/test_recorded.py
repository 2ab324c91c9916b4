"""What the real agent-swarm server answered, and what its real worker asked, in the order of the recordings."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.client.server import ServerProcess
from tests.contract.agent_swarm.calls import KEYS, PATH
from tests.contract.agent_swarm.requirements import REQUIREMENTS, covers

RECORDED = Path(__file__).parent / "recorded"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z")
AGENT = "11111111-1111-4111-8111-111111111111"
OTHER_AGENT = "22222222-2222-4222-8222-222222222222"
# Sessions that the recorded lists show and no recorded create made: before which case, their task and description.
OMITTED: dict[str, list[tuple[str, str]]] = {
    "create.unknown-fields-dropped": [("a b/c", ""), ("", "")],
    "create.missing-trigger": [("aaaaaaaa-0000-4000-8000-000000000005", 'żółw 🐢 \n"q"')],
    "list.all": [("aaaaaaaa-0000-4000-8000-000000000008", ""), ("aaaaaaaa-0000-4000-8000-000000000009", "")],
}

# The case, what the real server answered, what we answer. Why is in `requirements.py`.
DIVERGENCES: dict[str, tuple[int, int, str]] = {
    "create.dup-task-same-agent": (500, 409, "create.duplicate"),
    "create.dup-task-other-agent": (500, 409, "create.duplicate"),
}


def load(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDED / name).read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str | None
    body: Any


class Replay:
    """Sends recorded requests. Ids that the real server made stand for those that ours made instead.

    By a client that sends what it is given: others mend the headers that are recorded here for being odd.
    """

    def __init__(self, server: ServerProcess) -> None:
        place = urlsplit(server.url)
        assert place.hostname is not None
        self._connection = HTTPConnection(place.hostname, place.port, timeout=30)
        self._key = server.key
        self._ids: dict[str, str] = {}

    def close(self) -> None:
        self._connection.close()

    def send(self, recorded: dict[str, Any]) -> Answer:
        request = recorded["request"]
        path = request["path"]
        for theirs, ours in self._ids.items():
            path = path.replace(theirs, ours)
        headers = {name: self._header(name, value) for name, value in request["headers"].items()}
        body = None if request["body"] is None else request["body"].encode()
        self._connection.request(request["method"], path, body, headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.getheader("content-type"), json.loads(answer.read()))

    def _header(self, name: str, value: str) -> str:
        value = value.replace("<KEY>", self._key)
        is_bare_key = name == "authorization" and value == self._key
        return f"Bearer {value}" if is_bare_key else value

    def compare(self, theirs: object, ours: object) -> None:
        """The same values under the same keys in the same order, but for ids and instants."""
        assert [path for path, _ in leaves(ours)] == [path for path, _ in leaves(theirs)]
        for (path, their_value), (_, our_value) in zip(leaves(theirs), leaves(ours), strict=True):
            if path.endswith(".id"):
                assert self._ids.setdefault(str(their_value), str(our_value)) == our_value
            elif isinstance(their_value, str) and INSTANT.fullmatch(their_value):
                assert INSTANT.fullmatch(str(our_value))
            else:
                assert our_value == their_value, path


def leaves(value: Any, path: str = "") -> list[tuple[str, object]]:
    """Everything in a JSON value that is no object or list, in order, with its place."""
    match value:
        case dict():
            members: list[tuple[str, Any]] = list(cast("dict[str, Any]", value).items())
        case list():
            members = [(str(index), each) for index, each in enumerate(cast("list[Any]", value))]
        case _:
            return [(path, value)]
    if not members:
        return [(path, value)]
    return [leaf for name, each in members for leaf in leaves(each, f"{path}.{name}")]


async def cleaned(client: httpx2.AsyncClient, agent: str) -> int:
    return (await client.post(f"{PATH}/cleanup", json={"agentId": agent})).json()["cleaned"]


async def race(client: httpx2.AsyncClient) -> None:
    """24 parallel creates of one task: exactly one wins."""
    body = {"agentId": AGENT, "taskId": "raced", "triggerType": "t"}
    answers = await asyncio.gather(*(client.post(PATH, json=body) for _ in range(24)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 23


async def unrecorded(client: httpx2.AsyncClient, case: str) -> None:
    """What the recording leaves out before a case, and the answers behind it presuppose."""
    for task, description in OMITTED.get(case, ()):
        body = {"agentId": AGENT, "triggerType": "t", "taskId": task}
        if description:
            body["taskDescription"] = description
        assert (await client.post(PATH, json=body)).status_code == 201
    match case:
        case "cleanup.seed-20":
            assert await cleaned(client, OTHER_AGENT) == 10
        case "list.empty-at-end":
            # There, a cleanup with a negative age, which emptied the table; we refuse one.
            assert await cleaned(client, AGENT) == 1
        case "race.cleanup":
            await race(client)
        case _:
            pass


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as server:
        yield server


@pytest.fixture
def replay(server: ServerProcess) -> Iterator[Replay]:
    with closing(Replay(server)) as replay:
        yield replay


@covers("recorded.server", "row.keys", "create.race")
async def test_the_recorded_exchanges_with_the_real_server_are_answered_alike(
    server: ServerProcess, replay: Replay
) -> None:
    recorded = load("server.jsonl")
    assert len(recorded) == 78
    differed: dict[str, tuple[int, int]] = {}
    authorization = {"Authorization": f"Bearer {server.key}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=authorization) as client:
        for each in recorded:
            await unrecorded(client, each["case"])
            answer, theirs = replay.send(each), each["response"]
            if answer.status != theirs["status"]:
                differed[each["case"]] = (theirs["status"], answer.status)
                continue
            assert answer.content_type == theirs["content_type"], each["case"]
            replay.compare(json.loads(theirs["body"]), answer.body)
    assert differed == {case: (theirs, ours) for case, (theirs, ours, _) in DIVERGENCES.items()}


def test_every_difference_from_the_recording_is_a_divergence_with_a_reason() -> None:
    diverging = {requirement.id for requirement in REQUIREMENTS if requirement.divergence}
    assert {id for _, _, id in DIVERGENCES.values()} <= diverging


@covers("recorded.worker")
async def test_the_calls_of_the_real_worker_are_answered_as_it_was_answered(replay: Replay) -> None:
    recorded = load("worker.jsonl")
    answers: list[Answer] = []
    for each in recorded:
        answer = replay.send(each)
        assert answer.status == each["response"]["status"]
        replay.compare(json.loads(each["response"]["body"]), answer.body)
        answers.append(answer)
    created = [answer.body["session"] for answer in answers if answer.status == 201]
    assert [tuple(session) for session in created] == [KEYS] * 4
    assert len(answers) == 24
