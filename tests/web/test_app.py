"""Where surfaces are, and what is at no place."""

import json

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sojourn import __version__
from sojourn.web.app import App, Mount
from sojourn.web.kit.request import REST
from tests.web.served import Served, ask_raw


@pytest.mark.parametrize("path", [b"/health", b"//health", b"/sojourn/v1/health"])
async def test_health_needs_no_key(served: Served, path: bytes) -> None:
    answer = await ask_raw(served.app, "GET", path, [(b"authorization", b"nonsense")])
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok", "version": __version__})


@pytest.mark.parametrize("path", [b"//sojourn/v1/me", b"/sojourn//v1/me", b"///sojourn///v1/me"])
async def test_empty_segments_before_a_mounts_end_do_not_count(served: Served, path: bytes) -> None:
    assert (await ask_raw(served.app, "GET", path)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"",
        b"/nothing",
        b"/sojourn",
        b"/sojourn/v1",
        b"/sojourn/v10/me",
        b"/sojourn/v1//me",
        b"/sojourn/v1/me/",
        b"/SOJOURN/v1/me",
        b"/soj%6Furn/v1/me",
        b"/healthy",
        b"/health/x",
        b"/%zz%ff%00",
        b"/sojourn/v1/%ff/%00",
        b"\xff\xfe",
        b"*",
    ],
)
async def test_a_path_at_no_place_gets_a_problem(served: Served, path: bytes) -> None:
    answer = await ask_raw(served.app, "GET", path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    body = json.loads(answer.body)
    assert (body["code"], body["status"]) == ("not_found", 404)
    assert body["request_id"] == answer.headers["x-request-id"]


async def test_the_longest_prefix_wins_and_what_follows_it_stays_as_it_came(served: Served) -> None:
    seen: list[tuple[str, bytes]] = []

    def surface(name: str) -> ASGIApp:
        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            seen.append((name, scope[REST]))
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        return app

    table = [
        Mount("/api", surface("fallback")),
        Mount("/api/v1", surface("v1")),
        Mount("/api/account/me", surface("exact"), keep=True),
    ]
    app = App(served.services, table)
    for path in (b"/api/v1/a//b%2Fc/", b"/api//account/me", b"/api/account/you", b"//api/v1", b"/api/v12"):
        await ask_raw(app, "GET", path)
    assert seen == [
        ("v1", b"/a//b%2Fc/"),
        ("exact", b"/api/account/me"),
        ("fallback", b"/account/you"),
        ("v1", b""),
        ("fallback", b"/v12"),
    ]


async def test_a_websocket_is_turned_away(served: Served) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await served.app({"type": "websocket", "path": "/sojourn/v1/sessions"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_the_lifespan_ends_with_the_streams_closed(served: Served) -> None:
    received: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await served.app({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    created = await served.client.post("/sessions")
    # The stream of a server that closes says so and ends, so the whole answer can be awaited.
    stream = await served.client.get(f"/sessions/{created.json()['id']}/events/stream")
    assert b"event: closing" in stream.content
