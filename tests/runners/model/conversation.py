"""Requests and ways to read what comes back, for the tests of model clients."""

from contextlib import aclosing

from sojourn.domain.content import Message, TextPart
from sojourn.runners.model.client import ModelAnswer, ModelClient, ModelRequest, ToolSpec

WEATHER = ToolSpec(
    "weather",
    "Tells the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def said(text: str) -> Message:
    return Message("user", (TextPart(text),))


def asking(
    model: str, *messages: Message, instructions: str = "", tools: tuple[ToolSpec, ...] = ()
) -> ModelRequest:
    return ModelRequest(model, instructions, messages or (said("hello"),), tools, 0)


async def collect(client: ModelClient, request: ModelRequest) -> tuple[list[str], ModelAnswer]:
    """The text deltas and the answer, which must be the one last item."""
    deltas: list[str] = []
    answer: ModelAnswer | None = None
    async with aclosing(client.stream(request)) as items:
        async for item in items:
            assert answer is None, "something came after the answer"
            if isinstance(item, ModelAnswer):
                answer = item
            else:
                deltas.append(item.text)
    assert answer is not None
    return deltas, answer
