"""The tools that a server lists as a model is told of them, and what calls bring, as text. Imports the library."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from mcp_types import CallToolResult, EmbeddedResource, TextContent, TextResourceContents, Tool

MAX_NAME: Final = 64
MAX_DESCRIPTION: Final = 4_000
MAX_CHARACTERS: Final = 50_000

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Listed:
    """`name` is what the model calls it, `own` what the server does."""

    name: str
    own: str
    description: str
    parameters: dict[str, Any]
    is_repeatable: bool


def listed(reference: str, tool: Tool) -> Listed:
    hints = tool.annotations
    is_repeatable = hints is not None and (hints.read_only_hint is True or hints.idempotent_hint is True)
    return Listed(
        tool_name(reference, tool.name),
        tool.name,
        (tool.description or tool.title or tool.name)[:MAX_DESCRIPTION],
        tool.input_schema,
        is_repeatable,
    )


def tool_name(reference: str, own: str) -> str:
    """What models take as a name, and no two tools share."""
    name = f"{reference}__{own}"
    if len(name) <= MAX_NAME and _PLAIN.fullmatch(own):
        return name
    mark = hashlib.sha256(own.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_OTHER.sub('_', name)[: MAX_NAME - 9]}_{mark}"


def text_of(result: CallToolResult) -> str:
    """At most MAX_CHARACTERS and a word on what is left out; what is no text is named."""
    pieces: list[str] = []
    for item in result.content:
        match item:
            case TextContent(text=text):
                pieces.append(text)
            case EmbeddedResource(resource=TextResourceContents(text=text)):
                pieces.append(text)
            case _:
                pieces.append(f"[{item.type}, which is no text]")
    if not pieces and result.structured_content is not None:
        pieces.append(msgspec.json.encode(result.structured_content).decode())
    text = "\n".join(pieces)
    if len(text) > MAX_CHARACTERS:
        return f"{text[:MAX_CHARACTERS]}\n[{len(text) - MAX_CHARACTERS} characters more]"
    return text
