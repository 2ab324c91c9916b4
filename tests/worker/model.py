"""A model whose answers a test writes down beforehand."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from sojourn.domain.content import ToolCallPart, Usage
from sojourn.runners.model.client import ModelAnswer, ModelCallFailed, ModelRequest, TextDelta

Stream = AsyncGenerator[TextDelta | ModelAnswer, None]
Answer = Callable[[ModelRequest], Stream]


class ScriptedModel:
    """A `ModelClient` that plays the given answers, one a model call, whoever calls; the last one goes on for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = answers
        self.requests: list[ModelRequest] = []

    async def stream(self, request: ModelRequest) -> Stream:
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        async with aclosing(answer(request)) as items:
            async for item in items:
                yield item


def answered(text: str = "", *calls: ToolCallPart) -> ModelAnswer:
    return ModelAnswer(
        text=text,
        tool_calls=calls,
        usage=Usage(input_tokens=1, output_tokens=1),
        finish_reason="tool_call" if calls else "stop",
        provider="scripted",
        model="scripted/model",
    )


def says(text: str) -> Answer:
    async def stream(_request: ModelRequest) -> Stream:
        yield TextDelta(text)
        yield answered(text)

    return stream


def calls(*tools: str, arguments: str = "{}") -> Answer:
    """All of them in one answer."""

    async def stream(request: ModelRequest) -> Stream:
        parts = [
            ToolCallPart(f"call-{request.call}-{index}", name, arguments) for index, name in enumerate(tools)
        ]
        yield answered("", *parts)

    return stream


def fails(error: ModelCallFailed) -> Answer:
    async def stream(_request: ModelRequest) -> Stream:
        raise error
        yield  # which makes it a generator

    return stream


class Hang:
    """An answer that never ends: some deltas, then silence. `begun` is set once they are out."""

    def __init__(self, *deltas: str) -> None:
        self._deltas = deltas
        self.begun = asyncio.Event()
        self.stopped = asyncio.Event()

    async def __call__(self, request: ModelRequest) -> Stream:
        try:
            for delta in self._deltas:
                yield TextDelta(delta)
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            self.stopped.set()


class Slow:
    """An answer that comes when it is let. `asked` is set once somebody waits for it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def __call__(self, request: ModelRequest) -> Stream:
        self.asked.set()
        await self.answer.wait()
        yield answered(self._text)
