"""The simulated provider `sim`: a model of the same loop and journal that asks nobody and costs nothing.

`sim/echo` answers `echo: ` and the last user text, a word a delta. `sim/script` reads the last user text as a JSON
list of steps and gives each answering step (`say`, or `call` with one tool call or a list of them) to one model call;
the `sleep` and `error` steps before it happen first. A text that is no such list is echoed.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import takewhile
from typing import Any, Final, cast

from sojourn.domain.content import Message, ToolCallPart, Usage
from sojourn.runners.model.client import (
    FatalModelError,
    ModelAnswer,
    ModelRequest,
    TextDelta,
    TransientModelError,
)

PROVIDER: Final = "sim"
MAX_SLEEP_SECONDS: Final = 3600.0
_WORD: Final = re.compile(r"\s*\S+|\s+$")

Step = dict[str, Any]


class SimulatedModel:
    """A `ModelClient` for `sim/echo` and `sim/script`."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | ModelAnswer, None]:
        text = _last_user_text(request.messages)
        steps = _script(text) if request.model.endswith("script") else None
        answer: Step = {"say": f"echo: {text}"}
        if steps is not None:
            preludes, answer = _steps_of_call(steps, request.call)
            await _play(preludes, request.faults)
        if "call" in answer:
            yield _answer(request, "", _tool_calls(request, answer["call"]))
            return
        said: str = answer["say"]
        for word in _words(said):
            yield TextDelta(word)
        yield _answer(request, said, ())


def _words(text: str) -> Iterator[str]:
    return (match.group() for match in _WORD.finditer(text))


def _last_user_text(messages: Sequence[Message]) -> str:
    return next((message.text for message in reversed(messages) if message.role == "user"), "")


def _script(text: str) -> list[Step] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        steps = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(steps, list) or not all(_is_step(step) for step in cast(list[Any], steps)):
        return None
    return cast(list[Step], steps)


def _is_step(step: Any) -> bool:
    match step:
        case {"say": str()} | {"error": "transient" | "fatal"} | {"call": {"name": str()}}:
            return len(cast(Step, step)) == 1
        case {"call": [_, *_] as calls}:
            return len(cast(Step, step)) == 1 and all(_is_call(call) for call in calls)
        case {"sleep": int() | float() as seconds}:
            return len(cast(Step, step)) == 1 and 0 <= seconds <= MAX_SLEEP_SECONDS
        case _:
            return False


def _is_call(call: Any) -> bool:
    match call:
        case {"name": str()}:
            return True
        case _:
            return False


def _steps_of_call(steps: Sequence[Step], call: int) -> tuple[list[Step], Step]:
    """What happens in the `call`-th model call, and its answer; a script that has run out says nothing more."""
    answers = [index for index, step in enumerate(steps) if "say" in step or "call" in step]
    start = answers[call - 2] + 1 if 1 < call <= len(answers) + 1 else 0
    if call > len(answers):
        return list(steps[start:]) if call == len(answers) + 1 else [], {"say": ""}
    end = answers[call - 1]
    return list(steps[start:end]), steps[end]


async def _play(preludes: Sequence[Step], faults: int) -> None:
    """The `error: transient` steps of a call fail one try each."""
    transient = 0
    for step in preludes:
        if "sleep" in step:
            await asyncio.sleep(step["sleep"])
        elif step["error"] == "fatal":
            raise FatalModelError("The script says: fatal.")
        else:
            transient += 1
            if transient > faults:
                raise TransientModelError("The script says: transient.", retry_after_seconds=0.0)


def _tool_calls(
    request: ModelRequest, calls: dict[str, Any] | list[dict[str, Any]]
) -> tuple[ToolCallPart, ...]:
    if isinstance(calls, dict):
        return (_tool_call(f"sim-{request.call}", calls),)
    return tuple(_tool_call(f"sim-{request.call}-{index}", call) for index, call in enumerate(calls, 1))


def _tool_call(id: str, call: dict[str, Any]) -> ToolCallPart:
    arguments: Any = call.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCallPart(id=id, name=str(call["name"]), arguments=text)


def _answer(request: ModelRequest, text: str, calls: tuple[ToolCallPart, ...]) -> ModelAnswer:
    # What is new since the last answer, so that a simulated call costs the same however long its session is.
    new = takewhile(lambda message: message.role != "assistant", reversed(request.messages))
    read = sum(len(message.text.split()) for message in new)
    return ModelAnswer(
        text=text,
        tool_calls=calls,
        usage=Usage(input_tokens=read, output_tokens=len(text.split())),
        finish_reason="tool_call" if calls else "stop",
        provider=PROVIDER,
        model=request.model,
        simulated=True,
    )
