"""The tool of `shell`: a command in a sandbox of its own, with the session's files and nothing else of this machine.

Every command starts with the files as the session has them, and what it changed among them is written back when it has
ended by itself. One that is stopped changes nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from sojourn.config import Settings
from sojourn.domain.capability import CapabilityKind
from sojourn.domain.errors import Conflict, InvalidRequest, LimitExceeded
from sojourn.domain.file import MAX_FILE_BYTES, file_path
from sojourn.domain.ids import OrgId, SessionId
from sojourn.ports.turns import Journal
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.tools import Tool, ToolFailed
from sojourn.runners.shell.command import Ended, SandboxBroken, Stopped, run
from sojourn.runners.shell.probe import find_sandbox
from sojourn.runners.shell.sandbox import WORK_BYTES, Sandbox

NAME: Final = "shell"
DEFAULT_SECONDS: Final = 60
MOST_SECONDS: Final = 200
# Commands that run side by side in one process; further ones wait.
MOST_RUNNING: Final = 8
LONGEST_COMMAND_BYTES: Final = 100_000
MOST_AREA_BYTES: Final = WORK_BYTES // 2
# Paths that a result names of each sort.
_NAMED: Final = 20

_DESCRIPTION: Final = (
    "Run a shell command in the directory of the session's files, in a sandbox without a network. What it changes"
    " among these files is kept; nothing else of it is: no process, no file elsewhere, no link. A command that does"
    " not end in time is killed and changes nothing."
)
_PARAMETERS: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        "command": {"type": "string"},
        "timeout_seconds": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_SECONDS,
            "default": DEFAULT_SECONDS,
        },
    },
    "required": ["command"],
    "additionalProperties": False,
}


class Shell:
    """`missing` says why nobody runs commands. Without that and without a `sandbox` workers elsewhere do."""

    def __init__(self, sandbox: Sandbox | None, missing: str | None = None) -> None:
        self._sandbox = sandbox
        self._missing = missing
        self._room = asyncio.Semaphore(MOST_RUNNING)
        # Calls of one answer run side by side; two commands that change the same files do not.
        self._turns: WeakValueDictionary[tuple[OrgId, SessionId], asyncio.Lock] = WeakValueDictionary()

    @property
    def sandbox(self) -> str | None:
        """Its name."""
        return None if self._sandbox is None else self._sandbox.name

    @property
    def missing(self) -> str | None:
        return self._missing

    @property
    def tools(self) -> Sequence[Tool]:
        return (Tool(ToolSpec(NAME, _DESCRIPTION, _PARAMETERS), self._run),)

    @property
    def kind(self) -> CapabilityKind:
        if self._sandbox is not None:
            note = f"The sandbox of this server is {self._sandbox.name}."
        else:
            note = (
                None
                if self._missing
                else "Workers elsewhere run the commands, in sandboxes of their machines."
            )
        return CapabilityKind(
            name=NAME,
            description="Runs shell commands on the session's files, in a sandbox without a network.",
            tools=[NAME],
            missing=self._missing,
            note=note,
        )

    async def _run(self, journal: Journal, arguments: Mapping[str, Any]) -> str:
        if self._sandbox is None:
            raise ToolFailed(f"No command is run here: {self._missing or 'workers elsewhere do that'}.")
        command, seconds = _command(arguments), _seconds(arguments)
        turn = self._turns.setdefault((journal.turn.org, journal.turn.session), asyncio.Lock())
        async with turn, self._room:
            laid_out = await _area(journal)
            try:
                ended = await run(self._sandbox, _contents(journal, laid_out), command, seconds)
            except SandboxBroken as error:
                raise ToolFailed(f"The sandbox broke, and nothing is changed: {error}") from None
            except Stopped as error:
                raise ToolFailed(f"The command was killed, and nothing is changed: {error}.") from None
            kept = await _keep(journal, laid_out, ended)
        return _told(ended, kept)


async def open_shell(settings: Settings, environment: Mapping[str, str]) -> Shell:
    """What runs agents' commands in this process. A sandbox is looked for only where it may be used."""
    if not settings.allow_shell:
        return Shell(
            None, "set SOJOURN_ALLOW_SHELL, which lets agents run commands in a sandbox of this machine"
        )
    if settings.worker_capacity == 0:
        return Shell(None)
    return Shell(*await find_sandbox(environment, settings.data_dir))


def _command(arguments: Mapping[str, Any]) -> str:
    command = arguments.get("command")
    if not isinstance(command, str) or not command.strip():
        raise ToolFailed("The argument command is a text that is not empty.")
    try:
        size = len(command.encode())
    except UnicodeEncodeError:
        raise ToolFailed("The command contains halves of characters.") from None
    if "\0" in command or size > LONGEST_COMMAND_BYTES:
        raise ToolFailed(f"The command has a zero character, or more than {LONGEST_COMMAND_BYTES} bytes.")
    return command


def _seconds(arguments: Mapping[str, Any]) -> int:
    seconds = arguments.get("timeout_seconds", DEFAULT_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= MOST_SECONDS:
        raise ToolFailed(f"The argument timeout_seconds is a whole number from 1 to {MOST_SECONDS}.")
    return seconds


async def _area(journal: Journal) -> Sequence[str]:
    """The paths of the session's files. ToolFailed if these are more than a sandbox takes."""
    listed = await journal.list_files()
    if sum(size for _, size in listed) > MOST_AREA_BYTES:
        raise ToolFailed(
            f"The session's files are larger than {MOST_AREA_BYTES} bytes together: no command can be given them."
        )
    return [path for path, _ in listed]


async def _contents(journal: Journal, paths: Sequence[str]) -> AsyncGenerator[tuple[str, bytes]]:
    for path in paths:
        data = await journal.read_file(path)
        if data is not None:
            yield path, data


async def _keep(journal: Journal, laid_out: Sequence[str], ended: Ended) -> Mapping[str, Sequence[str]]:
    """Make the session's files what the command made of them. What became of those that differ, by a word for it."""
    became: dict[str, list[str]] = {"written": [], "deleted": [], "not kept": []}
    # First: a directory may stand now where a file was, and a file where a directory was.
    for path in laid_out:
        if path.encode() not in ended.files:
            try:
                # A client may have deleted it meanwhile.
                if await journal.delete_file(path):
                    became["deleted"].append(path)
            except (Conflict, InvalidRequest) as refusal:
                became["not kept"].append(f"{path}, which is to be deleted: {refusal}")
    for name, data in ended.changed.items():
        path = _path(name)
        if path is None or name not in ended.files:
            became["not kept"].append(f"{_shown(name)}: it is no path of a file here")
            continue
        try:
            await journal.write_file(path, data)
            became["written"].append(path)
        except (Conflict, InvalidRequest, LimitExceeded) as refusal:
            became["not kept"].append(f"{path}: {refusal}")
    became["not kept"] += [f"{_shown(name)}: too much was changed" for name in ended.left_out]
    became["not kept"] += [
        f"{_shown(name)}: it is larger than {MAX_FILE_BYTES} bytes"
        for name, size in ended.files.items()
        if size > MAX_FILE_BYTES
    ]
    return became


def _path(name: bytes) -> str | None:
    """The path that a sandbox tells of, None where it is none of a session's, or not in its one form."""
    try:
        path = name.decode()
        return path if file_path(path) == path else None
    except (UnicodeDecodeError, InvalidRequest):
        return None


def _shown(name: bytes) -> str:
    return ascii(name.decode(errors="replace"))[1:-1][:200]


def _told(ended: Ended, kept: Mapping[str, Sequence[str]]) -> str:
    parts = [f"exit code {ended.status}"]
    for title, text in (("stdout", ended.stdout), ("stderr", ended.stderr)):
        if text:
            parts.append(f"--- {title}\n{text.rstrip()}")
    for word, paths in kept.items():
        if paths:
            more = f"\n[{len(paths) - _NAMED} more]" if len(paths) > _NAMED else ""
            parts.append(f"--- files {word}\n" + "\n".join(paths[:_NAMED]) + more)
    return "\n".join(parts).replace("\0", "\ufffd")
