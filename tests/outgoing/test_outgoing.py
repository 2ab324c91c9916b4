"""Requests for users go to the address that was looked at, and to no private one unless that is allowed."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sojourn.domain.errors import InvalidRequest
from sojourn.outgoing import AddressRefused, AnswerBroken, NotSent, Outgoing
from tests.support.receiver import receiving

PRIVATE = (
    "http://127.0.0.1/x",
    "http://localhost:8080/",
    "http://127.1/",
    "http://2130706433/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "https://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://100.64.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://224.0.0.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:0:7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[64:ff9b:1::1]/",
    "http://[fe80::1]/",
    "http://[ff02::1]/",
    "http://[::ffff:224.0.0.1]/",
)


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_private_address_is_neither_kept_nor_asked(url: str) -> None:
    outgoing = Outgoing(allow_private=False)
    with pytest.raises(InvalidRequest, match="private"):
        await outgoing.check("url", url)
    with pytest.raises(AddressRefused, match="private"):
        await status_of(outgoing, url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://",
        "http://a:99999/",
        "http://u:p@a.example/",
        "http://a b/",
        "http://a.example/\n",
        "http://ä.example/",
        "http://[::1",
        "http://a.example/" + "x" * 2000,
    ],
)
async def test_what_is_no_url_is_refused(url: str) -> None:
    outgoing = Outgoing(allow_private=True)
    with pytest.raises(InvalidRequest):
        await outgoing.check("url", url)
    with pytest.raises(AddressRefused):
        await status_of(outgoing, url)


async def test_public_addresses_are_taken() -> None:
    outgoing = Outgoing(allow_private=False)
    for url in ("https://93.184.216.34/x", "http://[2606:2800:220:1::1]:8443/"):
        await outgoing.check("url", url)


async def test_a_name_with_one_private_address_among_public_ones_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(AddressRefused):
        await status_of(Outgoing(allow_private=False), "http://two.example/")


async def test_a_name_is_looked_up_once_and_the_address_that_was_looked_at_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with receiving() as receiver:
        # Whoever looked the name up again would be led to where nobody listens.
        asked = resolve_to(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
        url = receiver.url.replace("127.0.0.1", "rebound.example")
        assert await status_of(Outgoing(allow_private=True), url) == 200
    assert asked == ["rebound.example"]
    port = url.split(":")[2].split("/")[0]
    assert receiver.letters[0].headers["host"] == f"rebound.example:{port}"


async def test_an_address_that_takes_no_connection_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with receiving() as receiver:
        resolve_to(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        url = receiver.url.replace("127.0.0.1", "two.example")
        assert await status_of(Outgoing(allow_private=True), url) == 200


async def test_a_redirect_is_answered_and_not_followed() -> None:
    async with receiving() as receiver:
        receiver.statuses = [302]
        assert await status_of(Outgoing(allow_private=True), receiver.url) == 302
    assert len(receiver.letters) == 1


async def test_a_request_that_nobody_took_is_told_from_one_whose_answer_was_lost() -> None:
    outgoing = Outgoing(allow_private=True)
    async with receiving() as receiver:
        receiver.statuses = [0]
        with pytest.raises(AnswerBroken):
            await status_of(outgoing, receiver.url)
    with pytest.raises(NotSent):
        await status_of(outgoing, receiver.url)


@pytest.mark.parametrize("body", [b"0123456789", b"01234567890"])
async def test_no_more_of_a_body_is_read_than_was_asked_for(body: bytes) -> None:
    async with answering(plain(body)) as url, Outgoing(allow_private=True).ask("GET", url, {}) as answer:
        assert answer.content_type == "text/plain"
        assert await answer.read(10) == (b"0123456789", len(body) == 10)


async def test_a_compressed_answer_is_not_unpacked() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nbomb"
    async with answering(head) as url, Outgoing(allow_private=True).ask("GET", url, {}) as answer:
        with pytest.raises(AnswerBroken, match="compressed"):
            await answer.read(10)


async def test_a_body_that_ends_too_early_is_a_broken_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\nhalf"
    async with answering(head) as url, Outgoing(allow_private=True).ask("GET", url, {}) as answer:
        with pytest.raises(AnswerBroken):
            await answer.read(100)


async def status_of(outgoing: Outgoing, url: str) -> int:
    async with outgoing.ask("POST", url, {}, b"") as answer:
        return answer.status


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Let the resolver give these, one list after another; the names that it was asked for."""
    asked: list[str] = []
    rest = list(answers)

    async def getaddrinfo(_loop: object, host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        addresses = rest.pop(0) if rest else ()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return asked


def plain(body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: Text/Plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def answering(answer: bytes) -> AsyncGenerator[str]:
    """The URL of a server that gives every request the same bytes."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with serving(take) as url:
        yield url


@asynccontextmanager
async def serving(
    take: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncGenerator[str]:
    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        await server.wait_closed()
