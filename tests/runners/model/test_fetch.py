"""The tool `fetch`, against a server on loopback."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sojourn.outgoing import Outgoing
from sojourn.runners.model.fetch import FETCH_BYTES, FETCH_CHARACTERS, fetch_tools
from sojourn.runners.model.tools import ToolFailed
from tests.client.server import BOUND_SECONDS
from tests.runners.http.sessions import ended, said, say
from tests.web.served import open_served

Pages = Mapping[str, bytes]


def page(body: bytes, kind: str = "text/html; charset=utf-8", status: int = 200, **headers: str) -> bytes:
    head = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def moved(to: str) -> bytes:
    return page(b"", status=302, location=to)


@asynccontextmanager
async def web(pages: Pages) -> AsyncGenerator[str]:
    """The base URL of a server of these answers, by path."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        writer.write(pages[path])
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def fetched(url: str, *, private: bool = True, **arguments: Any) -> str:
    (tool,) = fetch_tools(Outgoing(allow_private=private))
    # The tool takes nothing of the turn.
    journal: Any = None
    async with asyncio.timeout(BOUND_SECONDS):
        return await tool.run(journal, {"url": url, **arguments})


async def test_a_page_is_text_with_its_address_and_title() -> None:
    body = b"<title>T</title><p>Hello <a href='/next'>there</a>"
    async with web({"/a": page(body)}) as url:
        text = await fetched(f"{url}/a#part")
        assert text == f"URL: {url}/a\nTitle: T\n\nHello [there]({url}/next)"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (page(b'{"a": 1}', "application/json"), '{"a": 1}'),
        (page("gr\u00fc\u00df".encode("latin-1"), "text/plain; charset=ISO-8859-1"), "gr\u00fc\u00df"),
        (page('<meta charset="windows-1252">\u20ac'.encode("cp1252"), "text/html"), "\u20ac"),
        (page(b"a\xffb\0", "text/plain; charset=none"), "a\ufffdb\ufffd"),
        (page(b"cGxhaW4=", "text/plain; charset=base64"), "cGxhaW4="),
    ],
)
async def test_texts_are_decoded_as_they_say(answer: bytes, text: str) -> None:
    async with web({"/": answer}) as url:
        assert (await fetched(url + "/")).endswith(f"\n\n{text}")


async def test_a_long_text_is_read_in_parts_and_a_longer_one_not_at_all_behind_its_limit() -> None:
    text = "".join(f"{number:07}\n" for number in range(FETCH_BYTES // 8 + 10))
    async with web({"/": page(text.encode(), "text/plain")}) as url:
        first = await fetched(url + "/")
        assert first.endswith(f"fetch again with start={FETCH_CHARACTERS}]")
        assert text[: FETCH_CHARACTERS - 1] in first
        assert text[: FETCH_CHARACTERS + 8] not in first
        last = await fetched(url + "/", start=FETCH_BYTES - 8)
        assert f"its first {FETCH_BYTES} bytes were read" in last


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/image", "is image/png, which is no text"),
        ("/missing", "answered 404: not here"),
        ("/loop", "redirects more than 5 times"),
        ("/file", "cannot be fetched"),
        ("/cut", "cannot be fetched"),
    ],
)
async def test_what_cannot_be_read_is_told_to_the_model(path: str, problem: str) -> None:
    pages = {
        "/image": page(b"x", "image/png"),
        "/missing": page(b"<p>not here</p>", status=404),
        "/loop": moved("/loop"),
        "/file": moved("file:///etc/passwd"),
        "/cut": page(b"whole", "text/plain")[:-2],
    }
    async with web(pages) as url:
        with pytest.raises(ToolFailed, match=problem):
            await fetched(url + path)


async def test_redirects_are_followed() -> None:
    async with web({"/a": moved("b"), "/b": moved("/c?d=1"), "/c?d=1": page(b"here", "text/plain")}) as url:
        assert await fetched(url + "/a") == f"URL: {url}/c?d=1\n\nhere"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_private_addresses_are_refused_by_default(host: str) -> None:
    async with web({"/": page(b"secret")}) as url:
        with pytest.raises(ToolFailed, match="private"):
            await fetched(url.replace("127.0.0.1", host) + "/", private=False)


@pytest.mark.parametrize("arguments", [{"url": 7}, {"url": "x", "start": -1}, {"url": "x", "start": True}])
async def test_arguments_of_another_kind_are_refused(arguments: dict[str, Any]) -> None:
    (tool,) = fetch_tools(Outgoing(allow_private=True))
    journal: Any = None
    with pytest.raises(ToolFailed):
        await tool.run(journal, arguments)


@pytest.mark.parametrize(("private", "text"), [(True, "inside"), (False, "private")])
async def test_an_agent_fetches_from_this_machine_only_where_the_server_is_set_to(
    tmp_path: Path, private: bool, text: str
) -> None:
    async with (
        web({"/": page(b"<p>inside")}) as url,
        open_served(tmp_path, default_model="sim/script", private_fetch=private) as served,
    ):
        made = await served.client.post("agents", json={"name": "reader", "tools": ["fetch"]})
        assert made.status_code == 201, made.text
        call = {"name": "fetch", "arguments": {"url": url + "/"}}
        session = await say(served, "reader", json.dumps([{"call": call}, {"say": "done"}]))
        (result,) = said(await ended(served, session), "tool.completed")
    assert text in result["output"]
    assert result["status"] == ("done" if private else "error")
