"""An OpenAI-compatible endpoint whose model says what the test wrote down, streamed, a word a piece.

It is the outside world of a real agent program: a server of its own on a loopback port.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Say:
    """Answer with text. With a `gate`, half of it comes at once and the rest when the gate opens."""

    text: str
    gate: asyncio.Event | None = None


@dataclass(frozen=True)
class Call:
    """Answer with calls of tools, each a name and its arguments, and some text before."""

    calls: tuple[tuple[str, Mapping[str, Any]], ...]
    text: str = ""


@dataclass(frozen=True)
class Refuse:
    """Answer with an HTTP error."""

    status: int = 400
    message: str = "the model refuses"


Step = Say | Call | Refuse


@dataclass
class Endpoint:
    """`steps` are the answers to come; when there are none left, the model repeats what it was told last.

    `requests` are those of the agent's own model; what an agent asks for besides (titles) offers no tools.
    """

    url: str = ""
    steps: list[Step] = field(default_factory=list[Step])
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    said_half: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                body = await reader.readexactly(int(head.get("content-length", "0")))
                await self._answer(json.loads(body or b"{}"), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        step: Step = Say("A title")
        if request.get("tools"):
            self.requests.append(request)
            step = self.steps.pop(0) if self.steps else Say(f"echo: {last_words(request)}")
        if isinstance(step, Refuse):
            body = json.dumps({"error": {"message": step.message, "type": "invalid_request_error"}}).encode()
            writer.write(_status(step.status, "application/json", len(body)) + body)
            await writer.drain()
            return
        writer.write(_status(200, "text/event-stream", None))
        match step:
            case Say(text=text, gate=gate):
                words = text.split(" ")
                for index, word in enumerate(words):
                    if gate is not None and index == (len(words) + 1) // 2:
                        self.said_half.set()
                        await gate.wait()
                    await _send(writer, {"content": word if index == 0 else f" {word}"})
                finish = "stop"
            case Call(calls=calls, text=text):
                if text:
                    await _send(writer, {"content": text})
                for index, (name, arguments) in enumerate(calls):
                    function = {"name": name, "arguments": json.dumps(arguments)}
                    call = {
                        "index": index,
                        "id": f"call_{len(self.requests)}_{index}",
                        "type": "function",
                        "function": function,
                    }
                    await _send(writer, {"tool_calls": [call]})
                finish = "tool_calls"
        await _send(writer, {}, finish)
        _chunk(writer, b"data: [DONE]\n\n")
        _chunk(writer, b"")
        await writer.drain()


def last_words(request: dict[str, Any]) -> str:
    """The text of the last message of the user."""
    for message in reversed(request["messages"]):
        if message["role"] == "user":
            content = message["content"]
            return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    return ""


async def _head(reader: asyncio.StreamReader) -> dict[str, str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}


def _status(status: int, kind: str, length: int | None) -> bytes:
    framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    return f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n".encode()


async def _send(writer: asyncio.StreamWriter, delta: dict[str, Any], finish: str | None = None) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    piece: dict[str, Any] = {
        "id": "chat-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": [choice],
    }
    if finish is not None:
        piece["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    _chunk(writer, b"data: " + json.dumps(piece).encode() + b"\n\n")
    await writer.drain()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


@asynccontextmanager
async def serving() -> AsyncGenerator[Endpoint]:
    endpoint = Endpoint()
    # A program that was killed leaves its connections open, and one that is kept for a while has some.
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(endpoint.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    endpoint.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield endpoint
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
