"""Tools that a model may call: how one is declared, and the built-in ones."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from sojourn.domain.errors import Conflict, InvalidRequest, LimitExceeded
from sojourn.domain.file import file_path
from sojourn.domain.kinds import Json
from sojourn.ports.turns import Journal
from sojourn.runners.model.client import ToolSpec


class ToolFailed(Exception):
    """The tool says no; its one sentence is the result that the model reads."""


class OutcomeUnknown(Exception):
    """Nobody can say whether the tool did it; the first argument is what the model is told."""


@dataclass(frozen=True, slots=True)
class Tool:
    """`repeatable` declares that running it twice is as good as once: read-only or idempotent.

    A tool that is not, and whose worker was lost while it ran, is not run again: its result is `unknown`.
    A tool with a `question` is answered by a human, who reads what that makes of the arguments; it runs only where that
    is None, and then says what is wrong with them.
    """

    spec: ToolSpec
    run: Callable[[Journal, Mapping[str, Any]], Awaitable[str]]
    repeatable: bool = False
    question: Callable[[Mapping[str, Any]], Mapping[str, Json] | None] | None = None
    # Likewise a tool with a `session` starts one, and its result is that session's answer.
    session: Callable[[Mapping[str, Any]], Mapping[str, Json] | None] | None = None


async def _current_time(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


async def _write_file(journal: Journal, arguments: Mapping[str, Any]) -> str:
    path, text = _path(arguments), string_argument(arguments, "content")
    data = text.encode("utf-8", "replace")
    try:
        await journal.write_file(path, data)
    except (InvalidRequest, LimitExceeded, Conflict) as refusal:
        raise ToolFailed(str(refusal)) from None
    return f"Wrote {len(data)} bytes to {path}."


async def _read_file(journal: Journal, arguments: Mapping[str, Any]) -> str:
    path = _path(arguments)
    data = await journal.read_file(path)
    if data is None:
        raise ToolFailed(f"There is no file {path}.")
    return data.decode("utf-8", "replace")


async def _list_files(journal: Journal, _arguments: Mapping[str, Any]) -> str:
    files = await journal.list_files()
    return "\n".join(f"{path} ({size} bytes)" for path, size in files) or "There are no files."


def _question(arguments: Mapping[str, Any]) -> Mapping[str, Json] | None:
    question = arguments.get("question")
    given: Any = arguments.get("options") or []
    if not isinstance(question, str) or not question.strip() or not isinstance(given, list):
        return None
    options = cast(list[Json], given)
    if not all(isinstance(option, str) for option in options):
        return None
    return {"question": question, "options": options}


async def _ask_user(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
    raise ToolFailed("The argument question is a text that is not empty, and options is a list of texts.")


def _session(arguments: Mapping[str, Any]) -> Mapping[str, Json] | None:
    agent, message, title = (arguments.get(name) for name in ("agent", "message", "title"))
    if not (isinstance(agent, str) and agent and isinstance(message, str) and message.strip()):
        return None
    if title is not None and not (isinstance(title, str) and len(title) <= _LONGEST_TITLE):
        return None
    return {"agent": agent, "message": message, "title": title}


async def _run_session(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
    raise ToolFailed(
        f"The arguments agent and message are texts that are not empty, and title is one of at most {_LONGEST_TITLE}."
    )


def _path(arguments: Mapping[str, Any]) -> str:
    try:
        return file_path(string_argument(arguments, "path"))
    except InvalidRequest as refusal:
        raise ToolFailed(str(refusal)) from None


def string_argument(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise ToolFailed(f"The argument {name} is missing or no string.")
    return value


def parse_arguments(text: str) -> Mapping[str, Any]:
    """The arguments as the model wrote them; ToolFailed for what is no JSON object."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise ToolFailed("The arguments are not JSON.") from None
    if not isinstance(value, dict):
        raise ToolFailed("The arguments are not a JSON object.")
    return cast(Mapping[str, Any], value)


def _object(**properties: str) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name, text in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


_PATH: Final = "Relative path in the session's file area."

_LONGEST_TITLE: Final = 1_000

BUILT_IN: Final[Mapping[str, tuple[Tool, ...]]] = {
    "current_time": (
        Tool(ToolSpec("current_time", "The current date and time in UTC.", _object()), _current_time, True),
    ),
    "ask_user": (
        Tool(
            ToolSpec(
                "ask_user",
                "Ask the user a question and wait for the answer. Give options where one of a few answers is expected.",
                {
                    "type": "object",
                    "properties": {
                        "question": {"type": "string"},
                        "options": {"type": "array", "items": {"type": "string"}},
                    },
                    "required": ["question"],
                    "additionalProperties": False,
                },
            ),
            _ask_user,
            repeatable=True,
            question=_question,
        ),
    ),
    "sessions": (
        Tool(
            ToolSpec(
                "run_session",
                "Have another agent do something in a session of its own, and wait for its answer. Several calls at"
                " once run side by side. The agent knows only what the message says.",
                {
                    "type": "object",
                    "properties": {
                        "agent": {"type": "string", "description": "The agent's name."},
                        "message": {"type": "string", "description": "All that the agent must know."},
                        "title": {"type": "string"},
                    },
                    "required": ["agent", "message"],
                    "additionalProperties": False,
                },
            ),
            _run_session,
            repeatable=True,
            session=_session,
        ),
    ),
    "files": (
        Tool(
            ToolSpec("write_file", "Write a text file.", _object(path=_PATH, content="The text.")),
            _write_file,
            repeatable=True,
        ),
        Tool(ToolSpec("read_file", "Read a text file.", _object(path=_PATH)), _read_file, repeatable=True),
        Tool(ToolSpec("list_files", "List the files.", _object()), _list_files, repeatable=True),
    ),
}
