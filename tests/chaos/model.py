"""The models of a chaos server: the simulated one, and one that calls tools side by side."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, TypedDict

from sojourn.domain.content import ToolCallPart, Usage
from sojourn.domain.ids import OrgId
from sojourn.runners.model.client import ModelAnswer, ModelClient, ModelRequest, TextDelta
from sojourn.runners.model.sim import SimulatedModel
from tests.chaos.outside import Outside
from tests.chaos.plan import Killer

PARALLEL: Final = "chaos/parallel"

Stream = AsyncGenerator[TextDelta | ModelAnswer, None]


class Call(TypedDict):
    name: str
    arguments: dict[str, Any]


def last_text(request: ModelRequest) -> str:
    return next(message.text for message in reversed(request.messages) if message.role == "user")


class ParallelModel:
    """Plays the last user text: JSON, for each model call a list of tool calls or a text to say; others it repeats."""

    async def stream(self, request: ModelRequest) -> Stream:
        steps: list[list[Call] | str] = _steps(last_text(request))
        step = steps[request.call - 1] if request.call <= len(steps) else ""
        text = step if isinstance(step, str) else ""
        for word in text.split(" ") if text else ():
            yield TextDelta(f"{word} ")
            # The pieces of an answer come one by one: what is written of it gets out in between.
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        calls = [] if isinstance(step, str) else step
        parts = [
            ToolCallPart(f"{request.call}-{index}", call["name"], json.dumps(call["arguments"]))
            for index, call in enumerate(calls)
        ]
        yield ModelAnswer(
            text=f"{text} " if text else "",
            tool_calls=tuple(parts),
            usage=Usage(input_tokens=len(request.messages), output_tokens=1),
            finish_reason="tool_call" if parts else "stop",
            provider="chaos",
            model=request.model,
        )


def _steps(text: str) -> list[list[Call] | str]:
    return json.loads(text) if text.startswith("[") else [text]


class WatchedModels:
    """Notes outside that a model was asked, and dies while it answers."""

    def __init__(self, outside: Outside, killer: Killer) -> None:
        self._outside = outside
        self._killer = killer

    def client_for(self, _org: OrgId, model: str) -> ModelClient:
        return _Watched(
            ParallelModel() if model == PARALLEL else SimulatedModel(), self._outside, self._killer
        )


class _Watched:
    def __init__(self, asked: ModelClient, outside: Outside, killer: Killer) -> None:
        self._asked = asked
        self._outside = outside
        self._killer = killer

    async def stream(self, request: ModelRequest) -> Stream:
        self._killer.hit("before_call")
        self._outside.note("model", f"{request.call} {last_text(request)}")
        async with aclosing(self._asked.stream(request)) as items:
            async for item in items:
                yield item
                self._killer.hit("mid_stream")
