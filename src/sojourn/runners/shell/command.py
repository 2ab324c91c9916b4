"""One command in one sandbox: the files go in, it runs, and what it left is told."""

import asyncio
import math
import os
from collections.abc import AsyncGenerator, AsyncIterable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sojourn.domain.file import MAX_FILE_BYTES
from sojourn.runners.program import Program, start_guarded
from sojourn.runners.shell.archive import BLOCK, END, BadArchive, packed, unpacked
from sojourn.runners.shell.output import Ear
from sojourn.runners.shell.sandbox import VARIABLES, Sandbox

LAYING_SECONDS: Final = 30.0
GATHERING_SECONDS: Final = 45.0
ENDING_SECONDS: Final = 10.0
MOST_LISTED: Final = 20_000
# Of what one command may change.
MOST_CHANGED: Final = 1_000
MOST_CHANGED_BYTES: Final = 32 * 1024 * 1024
_READY: Final = b"ready\n"
_LONGEST_LINE_BYTES: Final = 64 * 1024


class SandboxBroken(Exception):
    """The sandbox did not come about, or was gone before its files; the first argument says how."""


class Stopped(Exception):
    """The command was killed with all that it started, and what it changed is gone; the first argument says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`files` has the sizes of all that it left by their paths, `changed` the contents of those that were changed.

    Changed and not brought back are those that are `left_out`, and those of `files` that are too large.
    """

    status: int
    stdout: str
    stderr: str
    files: dict[bytes, int] = field(default_factory=dict[bytes, int])
    changed: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    left_out: Collection[bytes] = ()


async def run(
    sandbox: Sandbox, files: AsyncIterable[tuple[str, bytes]], command: str, seconds: float
) -> Ended:
    """Run it with these files. SandboxBroken, or Stopped. Whatever ends this, nothing of it runs on."""
    words = sandbox.words(command, math.ceil(seconds))
    async with _started(words) as (program, told, complaint):
        out, err = Ear(program.let_go), Ear(program.let_go)
        async with _hearing(out, program.reader), _hearing(err, complaint):
            try:
                await _lay_out(program, told, files)
                left = await _left(told, seconds)
                await _end(program)
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, BadArchive, ValueError) as error:
                await program.kill()
                if out.is_full or err.is_full:
                    raise Stopped("it printed too much") from None
                raise SandboxBroken(program.complaint or _said(error)) from None
            finally:
                # While somebody hears it: one with a full pipe is not seen to end.
                await program.kill()
        assert program.process.returncode is not None
        return Ended(
            status=program.process.returncode,
            stdout=out.text,
            stderr=err.text,
            files=left.files,
            changed=left.changed,
            left_out=left.left_out,
        )


@asynccontextmanager
async def _started(
    words: Sequence[str],
) -> AsyncGenerator[tuple[Program, asyncio.StreamReader, asyncio.StreamReader]]:
    """The program, what it tells of its files, and the command's standard error."""
    ours: list[int] = []
    theirs: list[int] = []
    for _ in range(2):
        reading, writing = os.pipe()
        ours.append(reading)
        theirs.append(writing)
    try:
        program = await start_guarded(
            words, Path("/"), VARIABLES, longest_line_bytes=_LONGEST_LINE_BYTES, gives=theirs
        )
    except BaseException:
        for descriptor in ours:
            os.close(descriptor)
        raise
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    heard = [await _reader(descriptor) for descriptor in ours]
    try:
        yield program, heard[0][0], heard[1][0]
    finally:
        for _, transport in heard:
            transport.close()
        # The guard kills it and all that it started as soon as the leash is let go, whether or not this is awaited.
        await program.kill()


async def _reader(descriptor: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    )
    return reader, transport


@asynccontextmanager
async def _hearing(ear: Ear, reader: asyncio.StreamReader) -> AsyncGenerator[None]:
    """To the end of what is said, unless something else ends it before."""
    task = asyncio.create_task(ear.listen(reader))
    try:
        yield
        await task
    finally:
        task.cancel()


async def _lay_out(
    program: Program, told: asyncio.StreamReader, files: AsyncIterable[tuple[str, bytes]]
) -> None:
    try:
        async with asyncio.timeout(LAYING_SECONDS):
            async for name, data in files:
                program.writer.write(packed(name, data))
                await program.writer.drain()
            program.writer.write(END + END)
            program.writer.close()
            ready = await told.readline()
    except TimeoutError:
        raise SandboxBroken(f"it was not ready within {LAYING_SECONDS:g} s") from None
    except ConnectionError:
        # It has ended, and says why.
        ready = b""
    if ready != _READY:
        await program.ended()
        raise SandboxBroken(program.complaint or "it ended before the command began")


@dataclass(slots=True)
class _Left:
    files: dict[bytes, int] = field(default_factory=dict[bytes, int])
    changed: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    left_out: set[bytes] = field(default_factory=set[bytes])


async def _end(program: Program) -> None:
    try:
        async with asyncio.timeout(ENDING_SECONDS):
            await program.ended()
    except TimeoutError:
        raise SandboxBroken("it did not end with its command") from None


async def _left(told: asyncio.StreamReader, seconds: float) -> _Left:
    """What there is when the command has ended, and what of it was changed."""
    try:
        async with asyncio.timeout(seconds):
            entry = await told.readuntil(b"\0")
    except TimeoutError:
        raise Stopped(f"it did not end within {seconds:g} s") from None
    try:
        async with asyncio.timeout(GATHERING_SECONDS):
            left = _Left()
            while entry != b"\0":
                size, _, path = entry[:-1].partition(b" ")
                left.files[path] = int(size)
                if len(left.files) > MOST_LISTED:
                    raise Stopped(f"it left more than {MOST_LISTED} files")
                entry = await told.readuntil(b"\0")
            await _take_changed(told, left)
            return left
    except TimeoutError:
        raise Stopped(f"its files were not told within {GATHERING_SECONDS:g} s") from None


async def _take_changed(told: asyncio.StreamReader, left: _Left) -> None:
    """As many as may be kept; the rest is read over."""
    room = MOST_CHANGED_BYTES
    told_of = 0
    async for name, data in unpacked(told, MAX_FILE_BYTES):
        told_of += 1
        if told_of > MOST_LISTED:
            raise BadArchive("more files than there are")
        if len(left.changed) < MOST_CHANGED and len(data) <= room:
            left.changed[name] = data
            room -= len(data)
        else:
            left.left_out.add(name)
    # What pads the archive.
    while await told.read(BLOCK):
        pass


def _said(error: Exception) -> str:
    return "it was killed" if isinstance(error, asyncio.IncompleteReadError) else str(error)
