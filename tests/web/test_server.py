"""Bytes on a connection that are no request."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.web.served import BOUND_SECONDS, listening, open_served


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET /sojourn/v1/sessions?title=" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: sojourn\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["no HTTP", "a long address", "no header", "TLS"],
)
async def test_what_is_no_request_is_refused_as_a_problem_with_an_id(tmp_path: Path, sent: bytes) -> None:
    async with open_served(tmp_path, worker_capacity=0) as served, listening(served.app) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(sent)
        async with asyncio.timeout(BOUND_SECONDS):
            head, body = (await reader.read()).split(b"\r\n\r\n", 1)
        writer.close()
        await writer.wait_closed()
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "http/1.1 400 bad request"
    headers = dict(line.split(": ", 1) for line in lines[1:])
    problem = json.loads(body)
    assert headers["content-type"] == "application/problem+json"
    assert headers["content-length"] == str(len(body))
    assert headers["connection"] == "close"
    assert (problem["status"], problem["code"]) == (400, "invalid_request")
    assert problem["request_id"] == headers["x-request-id"]
