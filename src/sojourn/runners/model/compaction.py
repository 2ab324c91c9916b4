"""A conversation that became too long for its model: what of it is summarised, and the call that does it.

The oldest messages are given to the model as one text, and its summary takes their place in what it reads from then on.
"""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Final

from sojourn.domain.content import Message, Part, TextPart, ToolCallPart, ToolResultPart
from sojourn.domain.events import CompactionCompleted, CompactionStarted, RunnerEvent, UsageRecorded
from sojourn.domain.fold import Conversation
from sojourn.ports.turns import Journal
from sojourn.runners.model.client import (
    ClientFor,
    ContextFull,
    ModelAnswer,
    ModelClient,
    ModelRequest,
    TransientModelError,
)

# Of the conversation's characters so many stay as they are, at most.
KEPT_SHARE: Final = 1 / 3
# A tool's output that is longer is cut in what is summarised.
OUTPUT_CHARACTERS: Final = 2_000
# A text that is too long for the model even so is halved, down to this.
LEAST_CHARACTERS: Final = 2_000

INSTRUCTIONS: Final = (
    "The conversation below is between a user and an agent, and has become too long to be read in full. Write the notes"
    " with which the agent goes on without it: what the user wants, what was decided and why, what was done and what"
    " came of it, names, numbers and paths that will be needed again, and what is still to be done. Write only the"
    " notes."
)


class NothingToCompact(Exception):
    """What the model would still have to read as it is does not fit either."""


async def compact(
    journal: Journal, client_for: ClientFor, before: Sequence[RunnerEvent], call: int
) -> tuple[RunnerEvent, ...]:
    """What to log of a finished compaction. `before` is logged together with its intent.

    Raises NothingToCompact, and what the model's client raises.
    """
    conversation = journal.conversation
    until = cut(conversation)
    if until is None:
        raise NothingToCompact
    model = journal.turn.model
    assert model is not None
    text = transcript(conversation, until)
    limit = len(text)
    while True:
        # Each try has its intent: a worker that lost its lease in between asks nobody any more.
        await journal.append(before, (CompactionStarted(model=model),))
        question = Message("user", (TextPart(shortened(text, limit)),))
        request = ModelRequest(
            model=model, instructions=INSTRUCTIONS, messages=(question,), tools=(), call=call
        )
        try:
            answer = await _answer(client_for(journal.turn.org, model), request)
        except ContextFull:
            limit, before = limit // 2, ()
            if limit < LEAST_CHARACTERS:
                raise
        else:
            return _completed(until, answer)


def _completed(until: int, answer: ModelAnswer) -> tuple[RunnerEvent, ...]:
    if not answer.text.strip():
        raise TransientModelError("The model gave no summary.")
    return (
        CompactionCompleted(messages=until, summary=answer.text),
        UsageRecorded(source="compaction", usage=answer.usage),
    )


def cut(conversation: Conversation) -> int | None:
    """How many messages the next summary stands for; None where there is nothing to gain.

    What is kept begins with no tool's result: providers refuse one without the call before it.
    """
    messages, start = conversation.messages, _start(conversation)
    places = [place for place in range(start + 1, len(messages)) if messages[place].role != "tool"]
    if not places:
        return None
    room = KEPT_SHARE * sum(map(_size, messages[start:]))
    return next((place for place in places if sum(map(_size, messages[place:])) <= room), places[-1])


def transcript(conversation: Conversation, until: int) -> str:
    """The messages that are to be summarised, with the summary of those before them."""
    lines = [] if conversation.compacted is None else [f"notes so far: {conversation.compacted.summary}"]
    for message in conversation.messages[_start(conversation) : until]:
        lines.extend(_lines(message))
    return "\n\n".join(lines)


def shortened(text: str, limit: int) -> str:
    """The beginning and the end of a text of more than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


async def _answer(client: ModelClient, request: ModelRequest) -> ModelAnswer:
    async with aclosing(client.stream(request)) as items:
        async for item in items:
            if isinstance(item, ModelAnswer):
                return item
    raise TransientModelError("The model's stream ended without a summary.")


def _start(conversation: Conversation) -> int:
    return 0 if conversation.compacted is None else conversation.compacted.messages


def _size(message: Message) -> int:
    return sum(map(_part_size, message.parts))


def _part_size(part: Part) -> int:
    match part:
        case TextPart(text):
            return len(text)
        case ToolCallPart(name=name, arguments=arguments):
            return len(name) + len(arguments)
        case ToolResultPart(output=output):
            return len(output)


def _lines(message: Message) -> Iterator[str]:
    for part in message.parts:
        match part:
            case TextPart(text):
                yield f"{message.role}: {text}"
            case ToolCallPart(name=name, arguments=arguments):
                yield f"{message.role} calls {name}: {arguments}"
            case ToolResultPart(name=name, status=status, output=output):
                yield f"{name} ({status}): {shortened(output, OUTPUT_CHARACTERS)}"
