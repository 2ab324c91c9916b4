"""The tools of `todo`: a list of what is to be done, in a file of the session that its clients see too."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from sojourn.domain.errors import Conflict, InvalidRequest, LimitExceeded
from sojourn.ports.turns import Journal
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.tools import Tool, ToolFailed

TODO_FILE: Final = "TODO.md"
MAX_ITEMS: Final = 100
MAX_ITEM_CHARACTERS: Final = 500

_MARKS: Final[Mapping[str, str]] = {"pending": " ", "in_progress": "~", "done": "x"}
_ITEM: Final[dict[str, object]] = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "status": {"type": "string", "enum": list(_MARKS)}},
    "required": ["text", "status"],
    "additionalProperties": False,
}


async def _write(journal: Journal, arguments: Mapping[str, Any]) -> str:
    items: Any = arguments.get("items")
    if not isinstance(items, list):
        raise ToolFailed("The argument items is missing or no list.")
    given = cast(Sequence[Any], items)
    if len(given) > MAX_ITEMS:
        raise ToolFailed(f"There are more than {MAX_ITEMS} items.")
    text = "".join(f"{_line(item)}\n" for item in given)
    try:
        await journal.write_file(TODO_FILE, text.encode("utf-8", "replace"))
    except (InvalidRequest, LimitExceeded, Conflict) as refusal:
        raise ToolFailed(str(refusal)) from None
    return text or "The list is empty."


async def _read(journal: Journal, _arguments: Mapping[str, Any]) -> str:
    data = await journal.read_file(TODO_FILE)
    return (data or b"").decode("utf-8", "replace") or "The list is empty."


def _line(item: Any) -> str:
    if not isinstance(item, dict):
        raise ToolFailed("An item is an object with text and status.")
    fields = cast(Mapping[str, Any], item)
    text, status = fields.get("text"), fields.get("status")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_ITEM_CHARACTERS:
        raise ToolFailed(f"The text of an item has 1 to {MAX_ITEM_CHARACTERS} characters.")
    if not isinstance(status, str) or status not in _MARKS:
        raise ToolFailed(f"The status of an item is one of {', '.join(_MARKS)}.")
    return f"- [{_MARKS[status]}] {' '.join(text.split())}"


TODO_TOOLS: Final = (
    Tool(
        ToolSpec(
            "write_todos",
            "Replace the list of what is to be done. Keep it up to date while you work through many steps.",
            {
                "type": "object",
                "properties": {"items": {"type": "array", "items": _ITEM, "maxItems": MAX_ITEMS}},
                "required": ["items"],
                "additionalProperties": False,
            },
        ),
        _write,
        repeatable=True,
    ),
    Tool(
        ToolSpec(
            "read_todos",
            "Read the list of what is to be done.",
            {"type": "object", "properties": {}, "additionalProperties": False},
        ),
        _read,
        repeatable=True,
    ),
)
