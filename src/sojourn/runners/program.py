"""A program of this machine, as a process: started behind its guard, and ended with all that it started."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# What a program needs to find itself and its user's files; nothing of it is secret.
COMMON_VARIABLES: Final = (
    *(
        "HOME",
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_CTYPE",
        "LOGNAME",
        "PATH",
        "SHELL",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
    ),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"),
    *("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE"),
)
# One message of the protocol is one line.
LONGEST_LINE_BYTES: Final = 64 * 1024 * 1024
COMPLAINT_BYTES: Final = 4_096
EXIT_SECONDS: Final = 1.0
KILL_SECONDS: Final = 5.0

_GUARD: Final = Path(__file__).with_name("guard.py")


@dataclass(slots=True)
class Program:
    """A running one. `complaint` is the end of what it said on its standard error, without what is `hidden`."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _leash: int
    hidden: Sequence[str] = ()
    _said: bytearray = field(default_factory=bytearray)
    _listening: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    @property
    def complaint(self) -> str:
        said = bytes(self._said)
        for secret in self.hidden:
            # As long as it was, so that what is left of one that is cut off is cut off below.
            said = said.replace(secret.encode(), b"*" * len(secret.encode()))
        text = said[-COMPLAINT_BYTES:].decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-8:])

    def without_secrets(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, "***")
        return text

    async def listen(self, stream: asyncio.StreamReader) -> None:
        kept = COMPLAINT_BYTES + max((len(secret.encode()) for secret in self.hidden), default=0)
        while data := await stream.read(4096):
            self._said += data
            del self._said[:-kept]

    def start_listening(self) -> None:
        assert self.process.stderr is not None
        self._listening = asyncio.create_task(self.listen(self.process.stderr))

    async def ended(self) -> None:
        """Wait until it has ended and all that it said is heard."""
        await self.process.wait()
        if self._listening is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(EXIT_SECONDS):
                    await asyncio.shield(self._listening)

    async def end(self) -> None:
        """Let it end by itself for a moment, as its input ends; then kill it and everything that it started."""
        if self.is_running:
            self.writer.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(EXIT_SECONDS):
                    await self.process.wait()
        await self.kill()

    async def kill(self) -> None:
        """At once, with everything that it started. The guard does it: it sees that nobody holds the leash any more."""
        self.let_go()
        try:
            async with asyncio.timeout(KILL_SECONDS):
                await self.process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        if self._listening is not None:
            self._listening.cancel()

    def let_go(self) -> None:
        """What `kill` does, without waiting for it."""
        leash, self._leash = self._leash, -1
        if leash >= 0:
            os.close(leash)


async def start_guarded(
    command: Sequence[str],
    directory: Path,
    variables: Mapping[str, str],
    *,
    longest_line_bytes: int = LONGEST_LINE_BYTES,
    hidden: Sequence[str] = (),
    gives: Sequence[int] = (),
) -> Program:
    """Start a program that is there, in a directory that is there. `hidden` are the secrets among its variables.

    `gives` are descriptors of ours, which it gets as 3, 4 and so on.
    """
    hold, leash = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_GUARD), ",".join(map(str, (hold, *gives))), *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=directory,
            env=variables,
            pass_fds=(hold, *gives),
            limit=longest_line_bytes,
            # A Ctrl-C reaches the whole foreground group; the server decides when its programs go.
            start_new_session=True,
        )
    except BaseException:
        os.close(leash)
        raise
    finally:
        os.close(hold)
    assert process.stdout is not None
    assert process.stdin is not None
    program = Program(process, process.stdout, process.stdin, leash, hidden)
    program.start_listening()
    return program
