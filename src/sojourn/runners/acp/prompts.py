"""What an agent's program is told beside the inputs of a turn: what it cannot know, and what became of its calls."""

from collections.abc import Sequence
from typing import Final

from sojourn.domain.content import Message, TextPart, ToolCallPart, ToolResultPart

# Of a longer past its end is told: a program compacts what it hears, but not all of them well.
MOST_CHARACTERS: Final = 100_000
LONGEST_PART: Final = 4_000


def instructions(text: str) -> str:
    return f"Instructions for this whole session:\n\n{text}"


def past(messages: Sequence[Message]) -> str:
    """A session so far, for a program that did not live through it."""
    told = "\n\n".join(_told(message) for message in messages)
    if len(told) > MOST_CHARACTERS:
        told = f"(its beginning is left out)\n{told[-MOST_CHARACTERS:]}"
    return (
        "This session began before you were started. What was said so far stands between the lines; the tool calls"
        f" in it were carried out then.\n-----\n{told}\n-----\nGo on from there."
    )


def interruption(inputs: Sequence[str], news: Sequence[str]) -> str:
    """Instead of a prompt that was under way when the program, or whoever spoke to it, was lost."""
    quoted = "\n".join(f"> {line}" for text in inputs for line in text.splitlines())
    lines = "\n".join(f"- {line}" for line in news)
    return (
        "You were interrupted by a crash while you were answering this message:\n"
        f"{quoted}\n\nWhat you did before stays done. Of your tool calls:\n{lines}\n\n"
        "Do not repeat what is done. Where an outcome is not known, look before you repeat it."
        " Then go on with your answer."
    )


def _told(message: Message) -> str:
    return "\n".join(_part(message.role, part) for part in message.parts)


def _part(role: str, part: TextPart | ToolCallPart | ToolResultPart) -> str:
    match part:
        case TextPart(text=text):
            return f"{'User' if role == 'user' else 'You'}: {text}"
        case ToolCallPart(name=name, arguments=arguments):
            return f"You called {name}: {_short(arguments)}"
        case ToolResultPart(name=name, status=status, output=output):
            return f"{name} ended ({status}): {_short(output)}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_PART else f"{text[:LONGEST_PART]} …"
