"""The tools of `memory`: what an agent keeps from one session to the next, in the words of Anthropic's memory tool.

Nothing of the memory stands in the instructions: what a model reads before the conversation is the same in every turn,
so providers find it in their caches, however often the memory changes. The tool's description says to look first.

A create finds its own text when it is run again, and a delete nothing, so both are repeatable. An edit is not: one
whose worker was lost while it ran has the result `unknown`, and the model looks for itself. An edit holds for the text
that it was made of: where another session has changed that meanwhile, nothing is written and the model is told.
Sources: https://docs.claude.com/en/docs/agents-and-tools/tool-use/memory-tool
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from sojourn.domain.capability import CapabilityKind
from sojourn.domain.errors import AlreadyExists, Conflict, ContentMismatch, InvalidRequest
from sojourn.domain.kinds import Json
from sojourn.domain.memory import KIND, MEMORY_SCHEMA, NOTHING, Expected, Memory, MemoryText, memory_directory
from sojourn.ports.turns import Journal
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.tools import Tool, ToolFailed, string_argument

ROOT: Final = "memories"
MAX_LISTED: Final = 500
VIEW_CHARACTERS: Final = 30_000


async def _view(journal: Journal, arguments: Mapping[str, Any]) -> str:
    path = _path(arguments)
    found = await journal.read_memory(path) if path else None
    if found is not None:
        return _numbered(path, found.text, arguments.get("view_range"))
    entries = await journal.list_memories(path)
    if not entries:
        if not path:
            return "The memory is empty."
        raise ToolFailed(f"There is nothing at {_shown(path)}.")
    lines = [
        f"{_shown(entry.path)} ({entry.size} bytes, {entry.updated_at:%Y-%m-%d})"
        for entry in entries[:MAX_LISTED]
    ]
    left = len(entries) - len(lines)
    return "\n".join(lines) + (f"\n[{left} more: view a directory.]" if left else "")


def _numbered(path: str, text: str, given: Any) -> str:
    """The lines with their numbers, which `memory_insert` takes; as many as one result may hold."""
    lines = text.splitlines()
    first, last = _range(given, len(lines))
    shown: list[str] = []
    size = 0
    for number in range(first, last + 1):
        line = f"{number:>6}\t{lines[number - 1]}"
        size += len(line) + 1
        if shown and size > VIEW_CHARACTERS:
            shown.append(f"[{last - number + 1} more lines: view again with view_range [{number}, {last}].]")
            break
        shown.append(line)
    return "\n".join(shown) or f"{_shown(path)} is empty."


def _range(given: Any, lines: int) -> tuple[int, int]:
    if given is None:
        return 1, lines
    bounds = cast(Sequence[Any], given) if isinstance(given, list) else ()
    if len(bounds) != 2 or not all(isinstance(one, int) and not isinstance(one, bool) for one in bounds):
        raise ToolFailed("The argument view_range is a list of two whole numbers.")
    first, last = bounds[0], lines if bounds[1] == -1 else min(bounds[1], lines)
    if not 1 <= first <= last:
        raise ToolFailed(f"The argument view_range must lie within the {lines} lines.")
    return first, last


async def _create(journal: Journal, arguments: Mapping[str, Any]) -> str:
    path, text = _path(arguments), string_argument(arguments, "file_text")
    await _write(journal, path, text, NOTHING)
    return f"Created {_shown(path)}."


async def _str_replace(journal: Journal, arguments: Mapping[str, Any]) -> str:
    path, old = _path(arguments), string_argument(arguments, "old_str")
    new = string_argument(arguments, "new_str") if "new_str" in arguments else ""
    found = await _found(journal, path)
    count = found.text.count(old) if old else 0
    if count != 1:
        problem = "is not there" if not count else f"is there {count} times; take more of what is around it"
        raise ToolFailed(f"The text old_str {problem}. Nothing was changed in {_shown(path)}.")
    await _write(journal, path, found.text.replace(old, new), Expected(found.entry.sha256))
    return f"Edited {_shown(path)}."


async def _insert(journal: Journal, arguments: Mapping[str, Any]) -> str:
    path, text = _path(arguments), string_argument(arguments, "insert_text")
    line = arguments.get("insert_line")
    found = await _found(journal, path)
    lines = found.text.splitlines(keepends=True)
    if isinstance(line, bool) or not isinstance(line, int) or not 0 <= line <= len(lines):
        raise ToolFailed(f"The argument insert_line is a whole number from 0 to {len(lines)}.")
    if line and not lines[line - 1].endswith("\n"):
        lines[line - 1] += "\n"
    inserted = text if text.endswith("\n") else f"{text}\n"
    await _write(
        journal, path, "".join((*lines[:line], inserted, *lines[line:])), Expected(found.entry.sha256)
    )
    return f"Edited {_shown(path)}."


async def _delete(journal: Journal, arguments: Mapping[str, Any]) -> str:
    path = _path(arguments)
    try:
        deleted = await journal.delete_memory(path)
    except (InvalidRequest, Conflict) as refusal:
        raise ToolFailed(str(refusal)) from None
    return f"Deleted {_shown(path)}." if deleted else f"There is no memory at {_shown(path)}."


async def _search(journal: Journal, arguments: Mapping[str, Any]) -> str:
    query = string_argument(arguments, "query")
    try:
        found = await journal.search_memories(query)
    except InvalidRequest as refusal:
        raise ToolFailed(str(refusal)) from None
    return (
        "\n".join(f"{_shown(one.path)}:{one.line}: {one.text[:500]}" for one in found) or "Nothing was found."
    )


async def _found(journal: Journal, path: str) -> Memory:
    found = await journal.read_memory(path) if path else None
    if found is None:
        raise ToolFailed(f"There is no memory at {_shown(path)}.")
    return found


async def _write(journal: Journal, path: str, text: str, expected: Expected) -> None:
    try:
        # Here already, so that what is too long is sent nowhere.
        MemoryText.of(text)
        await journal.write_memory(path, text, expected)
    except AlreadyExists:
        raise ToolFailed(
            f"There is a memory at {_shown(path)} already: view it, and edit or delete it."
        ) from None
    except ContentMismatch:
        raise ToolFailed(
            f"Another session has changed {_shown(path)} just now: view it, and edit it again."
        ) from None
    except (InvalidRequest, Conflict) as refusal:
        raise ToolFailed(str(refusal)) from None


def _path(arguments: Mapping[str, Any]) -> str:
    """The path within the memory, which is the empty path; models say `/memories/a`, `memories/a` or `a`."""
    try:
        path = memory_directory(string_argument(arguments, "path"))
    except InvalidRequest as refusal:
        raise ToolFailed(str(refusal)) from None
    return path.removeprefix(ROOT).removeprefix("/") if path.split("/")[0] == ROOT else path


def _shown(path: str) -> str:
    return f"/{ROOT}/{path}" if path else f"/{ROOT}"


def _parameters(optional: Mapping[str, object] | None = None, **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(description: str) -> dict[str, object]:
    return {"type": "string", "description": description}


_PATH: Final = _text(f"A path like /{ROOT}/notes.md.")

READ_TOOLS: Final = (
    Tool(
        ToolSpec(
            "memory_view",
            f"Look into your memory, which outlives this conversation: the list of what is below a directory, or a text"
            f" with the numbers of its lines. View /{ROOT} before you begin a task.",
            _parameters(
                {
                    "view_range": {
                        "type": "array",
                        "items": {"type": "integer"},
                        "description": "The first and the last line; -1 is the last of all.",
                    }
                },
                path=_PATH,
            ),
        ),
        _view,
        repeatable=True,
    ),
    Tool(
        ToolSpec(
            "memory_search",
            "Find the lines of your memory that hold a text, in either case of its letters.",
            _parameters(query=_text("The text.")),
        ),
        _search,
        repeatable=True,
    ),
)
WRITE_TOOLS: Final = (
    Tool(
        ToolSpec(
            "memory_create",
            "Keep a new text in your memory. Other conversations of yours will read it: keep what will be of use to"
            " them.",
            _parameters(path=_PATH, file_text=_text("The text.")),
        ),
        _create,
        repeatable=True,
    ),
    Tool(
        ToolSpec(
            "memory_str_replace",
            "Replace a text that is in a memory exactly once.",
            _parameters(
                {"new_str": _text("What takes its place; without it the text is taken out.")},
                path=_PATH,
                old_str=_text("The text, exactly as it is there."),
            ),
        ),
        _str_replace,
    ),
    Tool(
        ToolSpec(
            "memory_insert",
            "Insert lines into a memory.",
            _parameters(
                path=_PATH,
                insert_line={
                    "type": "integer",
                    "description": "The line to insert after; 0 is the beginning.",
                },
                insert_text=_text("The lines."),
            ),
        ),
        _insert,
    ),
    Tool(
        ToolSpec("memory_delete", "Delete a memory.", _parameters(path=_PATH)),
        _delete,
        repeatable=True,
    ),
)


class MemoryOpener:
    @property
    def kind(self) -> CapabilityKind:
        return CapabilityKind(
            name=KIND,
            description="Keeps texts from one session of the agent to the next.",
            config_schema=MEMORY_SCHEMA,
            tools=[tool.spec.name for tool in (*READ_TOOLS, *WRITE_TOOLS)],
        )

    @asynccontextmanager
    async def open(
        self, journal: Journal, reference: str, config: Mapping[str, Json]
    ) -> AsyncGenerator[Sequence[Tool]]:
        yield READ_TOOLS if config.get("access") == "read_only" else (*READ_TOOLS, *WRITE_TOOLS)
