"""The page of a session, and the stream that it follows."""

import asyncio
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn.domain.events import ToolCompleted, ToolRequested, ToolStarted
from sojourn.web.dialects.membrane import wire
from sojourn.web.dialects.membrane.screen import page
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import Membrane, absent, answer_to, of
from tests.web.served import BOUND_SECONDS, listening

SCREEN = "/screens/agent-session"
HOSTILE = "</main><script>alert('x')</script><img src=x onerror=alert(1)>{{ 7*7 }}&amp;\"'"


async def open_page(membrane: Membrane, **form: str) -> httpx2.Response:
    """As a browser posts it: no header but the form's own."""
    answer = await membrane.http.post(SCREEN, data={"token": membrane.token, **form})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


class Seen(HTMLParser):
    """What a browser would make of the page: its elements, and the text of those that are shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.texts.append(data.strip())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@covers("screen.shows")
async def test_the_page_shows_the_conversation_in_the_theme_that_is_asked_for(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    id = (await on_sqlite.make("What is new?"))["id"]
    turn = await world.claim(of(id))
    requests = [
        ToolRequested(call=1, index=0, id="c", name="look", arguments='{"at":"<b>"}'),
        ToolStarted(call=1, index=0),
        ToolCompleted(call=1, index=0, id="c", name="look", status="done", output="seen it"),
    ]
    await world.services.turns.settle(turn, [*await answer_to(world, turn, "Nothing much."), *requests])
    for theme, shown in (("dark", "dark"), ("light", "light"), ("auto", "auto"), ("", "auto"), ("x", "auto")):
        seen = Seen((await open_page(on_sqlite, sessionId=id, theme=theme)).text)
        assert seen.of("html")[0]["data-theme"] == shown
        for text in ("What is new?", "Nothing much.", "look", "completed", "seen it", '{\n  "at": "<b>"\n}'):
            assert text in seen.texts
    [article, answer] = seen.of("article")
    assert (article["class"], answer["class"]) == ("user", "assistant")
    assert seen.of("main")[0]["class"] == "idle running"
    record = await world.record(of(id))
    assert seen.of("main")[0]["data-seq"] == str(record.session.next_seq - 1)


@covers("screen.hostile")
async def test_what_is_said_is_text_and_nothing_else(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    id = (await on_sqlite.make(HOSTILE, workspaceElementId=HOSTILE))["id"]
    await on_sqlite.done("PATCH", f"/{id}", json={"title": HOSTILE})
    turn = await world.claim(of(id))
    tool = ToolRequested(call=1, index=0, id=HOSTILE, name=HOSTILE, arguments=json.dumps({HOSTILE: HOSTILE}))
    await world.services.turns.append(turn, [*await answer_to(world, turn, HOSTILE), tool])
    await world.services.turns.settle(turn, [_closed(tool)], "error", HOSTILE)
    answer = await open_page(on_sqlite, sessionId=id)
    seen = Seen(answer.text)
    assert seen.of("img") == []
    assert len(seen.of("main")) == len(seen.of("script")) == 1
    assert seen.texts.count(HOSTILE) >= 4
    assert "49" not in seen.texts
    assert all(not name.startswith("on") for _, attributes in seen.tags for name in attributes)


def _closed(tool: ToolRequested) -> ToolCompleted:
    return ToolCompleted(
        call=tool.call, index=tool.index, id=tool.id, name=tool.name, status="cancelled", output=HOSTILE
    )


@covers("screen.hostile")
async def test_the_page_loads_nothing_and_runs_its_own_script_only(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    first, second = [await open_page(on_sqlite, sessionId=id) for _ in range(2)]
    nonces: list[str | None] = []
    for answer in (first, second):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "http" not in policy
        seen = Seen(answer.text)
        [nonce] = {one["nonce"] for one in (*seen.of("script"), *seen.of("style"))}
        assert f"script-src 'nonce-{nonce}'" in policy
        nonces.append(nonce)
        loading = ("src", "href", "action", "data", "srcset")
        assert [name for _, attributes in seen.tags for name in attributes if name in loading] == []
        assert answer.headers["cache-control"] == "no-store"
    assert nonces[0] != nonces[1]


@covers("screen.auth")
async def test_the_page_goes_by_the_forms_token(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    umbrella = on_sqlite.seen_as("umbrella").token
    good = {"authorization": f"Bearer {on_sqlite.token}"}
    for token, status, key in (
        ("", 401, "not_authenticated"),
        ("x", 401, "not_authenticated"),
        (umbrella, 404, "not_found"),
    ):
        form = {"token": token, "sessionId": id}
        failure = await on_sqlite.refused(status, "POST", SCREEN, data=form, headers=good)
        assert failure["key"] == key
    missing: list[dict[str, str]] = [
        {},
        {"sessionId": ""},
        {"sessionId": absent()},
        {"sessionId": str(of(id))},
    ]
    for form in missing:
        await on_sqlite.refused(404, "POST", SCREEN, data={"token": on_sqlite.token, **form})
    await on_sqlite.refused(405, "GET", SCREEN)
    await on_sqlite.refused(404, "POST", f"{SCREEN}/x", data={})
    await on_sqlite.refused(400, "POST", SCREEN, content=b"token=%ff")
    answer = await on_sqlite.http.post(
        SCREEN, data={"token": on_sqlite.token, "sessionId": id}, headers={"authorization": "Bearer x"}
    )
    assert answer.status_code == 200


@covers("screen.greets")
async def test_the_pages_script_greets_its_opener_and_follows_the_session(
    on_sqlite: Membrane, tmp_path: Path
) -> None:
    """The script in a stand-in for a browser: it greets, is acknowledged, and reads the stream from the page's seq."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("the page's script is run by node, and it is not on the PATH")
    id = (await on_sqlite.make())["id"]
    html = (await open_page(on_sqlite, sessionId=id)).text
    script = re.findall(r"<script nonce=[^>]*>(.*?)</script>", html, re.DOTALL)[0]
    harness = Path(__file__).with_name("browser.mjs").read_text()
    (tmp_path / "run.mjs").write_text(harness.replace("/* the page's script */", script))
    ran = await asyncio.create_subprocess_exec(
        node, str(tmp_path / "run.mjs"), id, on_sqlite.token, stdout=-1, stderr=-1
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, said = await ran.communicate()
    assert ran.returncode == 0, said.decode()
    seen: dict[str, Any] = json.loads(out)
    assert [one["penpal"] for one in seen["told"]] == ["syn", "ack", "call"]
    assert seen["told"][2]["methodName"] == "handshake"
    assert seen["asked"][0]["url"] == f"/agent/sessions/{id}/events"
    assert seen["asked"][0]["headers"] == {
        "Authorization": f"Bearer {on_sqlite.token}",
        "Last-Event-ID": "3",
    }
    assert seen["asked"][1]["url"] == SCREEN
    assert seen["written"] == "half a word"


def test_a_page_of_a_session_with_nothing_in_it_says_so() -> None:
    session = wire.AgentSession(
        id="0" * 32,
        workspace_id="w",
        workspace_element_type="customer",
        workspace_element_id="w",
        status="queued",
        state="idle",
        prompt="",
        last_activity_at="",
        has_worker=False,
        created_at="",
        updated_at="",
    )
    texts = Seen(page(session, [], "t", "dark", 1).body.decode()).texts
    assert "Agent session" in texts
    assert "Nothing has been said yet." in texts


@covers("events.stream")
async def test_the_stream_tells_what_changed_and_goes_on_where_it_was_left(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    id = (await on_sqlite.make())["id"]
    turn = await world.claim(of(id))
    headers = {"authorization": f"Bearer {on_sqlite.token}"}
    async with listening(on_sqlite.app) as url, httpx2.AsyncClient(base_url=url, headers=headers) as http:
        frames = await read(http, id, {}, "caught_up")
        assert [frame.get("id") for frame in frames[:-1]] == ["1", "2", "3", "4", "5", "6"]
        assert json.loads(frames[0]["data"]) == {"type": "session.created"}
        again = await read(http, id, {"last-event-id": "4"}, "caught_up")
        assert [frame.get("id") for frame in again[:-1]] == ["5", "6"]
        caught_up = asyncio.Event()
        live = asyncio.create_task(read(http, id, {"last-event-id": "6"}, "changed", caught_up))
        async with asyncio.timeout(BOUND_SECONDS):
            await caught_up.wait()
            partial = await answer_to(world, turn, "all")
            world.services.turns.preview(turn, _message(partial), 0, "al")
            await world.services.turns.settle(turn, partial)
            names = [frame["event"] for frame in await live]
        assert names == ["caught_up", "delta", "changed"]
        query = await http.get(f"/agent/sessions/{id}/events", headers={"last-event-id": "x"})
        assert query.status_code == 400


def _message(events: list[Any]) -> Any:
    return events[0].message


async def read(
    http: httpx2.AsyncClient,
    id: str,
    headers: dict[str, str],
    until: str,
    caught_up: asyncio.Event | None = None,
) -> list[dict[str, str]]:
    """The frames up to the first of a name. `caught_up` is set when the stream has become live."""
    frames: list[dict[str, str]] = []
    async with (
        asyncio.timeout(BOUND_SECONDS),
        http.stream("GET", f"/agent/sessions/{id}/events", headers=headers) as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"
        frame: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                frame[name] = value
            elif frame:
                frames.append(frame)
                if caught_up is not None and frame.get("event") == "caught_up":
                    caught_up.set()
                if frame.get("event") == until:
                    break
                frame = {}
    return frames
