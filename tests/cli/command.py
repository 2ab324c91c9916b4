"""The command as a user runs it: a process with arguments, a standard input and two outputs, or a terminal."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import sys
import termios
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.client.server import BOUND_SECONDS, environment
from tests.support.forked import start

PROGRAM = (sys.executable, "-m", "sojourn")
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x01|\x02")


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The output, read as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


async def run(*arguments: str | Path, stdin: str = "", cwd: Path | None = None, **settings: str) -> Result:
    """Run it to its end. `settings` are variables of its environment."""
    program = await start(
        *map(str, arguments),
        environment=environment(**settings),
        directory=cwd,
        given=stdin.encode(),
        hears_errors=True,
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, err = await asyncio.gather(*(stream.read() for stream in program.outputs))
        return Result(await program.wait(), out.decode(), err.decode())


async def run_program(*arguments: str, stdin: str = "", cwd: Path | None = None, **settings: str) -> Result:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=cwd,
        env=environment(**settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())


class Terminal:
    """The other end of a pseudo-terminal: what a program shows, and the keys that it is sent."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self._master = master
        self._process = process
        self._raw = b""
        self._grown = asyncio.Event()

    @property
    def text(self) -> str:
        """Everything shown so far, without colours and the like."""
        return _CODES.sub("", self.raw).replace("\r\n", "\n")

    @property
    def raw(self) -> str:
        return self._raw.decode(errors="replace")

    def read(self) -> None:
        try:
            self._raw += os.read(self._master, 65_536)
        except OSError:
            # The program has closed its end.
            asyncio.get_running_loop().remove_reader(self._master)
        self._grown.set()

    async def until(self, *texts: str) -> None:
        """Return once all of `texts` have been shown, each behind the one before it."""
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                while not self._shows(texts):
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            raise AssertionError(f"{texts} were not all shown:\n{self.text}") from None

    def _shows(self, texts: tuple[str, ...]) -> bool:
        position = 0
        for text in texts:
            position = self.text.find(text, position)
            if position < 0:
                return False
            position += len(text)
        return True

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    async def interrupt(self, text: str) -> None:
        """Press Ctrl-C until `text` is shown.

        Python's `input` misses one that comes after a key was handled and before it waits for the next key; whoever
        sits there presses again.
        """
        async with asyncio.timeout(BOUND_SECONDS):
            while not self._shows((text,)):
                self.type("\x03")
                self._grown.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        while not self._shows((text,)):
                            await self._grown.wait()
                            self._grown.clear()

    async def ended(self) -> int:
        """Its status, once it has ended."""
        async with asyncio.timeout(BOUND_SECONDS):
            return await self._process.wait()


@asynccontextmanager
async def terminal(
    *arguments: str | Path, cwd: Path | None = None, **settings: str
) -> AsyncGenerator[Terminal, None]:
    """Run it on a terminal of 100 columns, as the leader of its own session, so that Ctrl-C reaches it."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (40, 100))
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *map(str, arguments),
        cwd=cwd,
        env=environment(**settings) | {"TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(slave)
    shown = Terminal(master, process)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, shown.read)
    try:
        yield shown
    finally:
        loop.remove_reader(master)
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(master)


def _take_terminal() -> None:
    """In the child: make the terminal its controlling one."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
