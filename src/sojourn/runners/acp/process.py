"""The program of an agent, as a process: found, started behind its guard, and ended with all that it started."""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sojourn.domain.runner_config.acp import AcpConfig
from sojourn.domain.runner_config.cli_agents import CLI_AGENTS, CliAgent

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
# Of this server's own variables none is a program's business, whoever asks for it.
OWN_PREFIX: Final = "SOJOURN_"
REFERENCE: Final = "env:"
# One message of the protocol is one line.
LONGEST_LINE_BYTES: Final = 64 * 1024 * 1024
COMPLAINT_BYTES: Final = 4_096
EXIT_SECONDS: Final = 1.0
KILL_SECONDS: Final = 5.0

_GUARD: Final = Path(__file__).with_name("guard.py")


class CannotStart(Exception):
    """Why the agent's program does not run; the first argument says what was wrong and how to mend it."""


@dataclass(slots=True)
class Program:
    """A running one. `complaint` is the end of what it said on its standard error."""

    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _leash: int
    _said: bytearray = field(default_factory=bytearray)
    _listening: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    @property
    def complaint(self) -> str:
        text = self._said.decode(errors="replace").strip()
        return "\n".join(text.splitlines()[-8:])

    async def listen(self, stream: asyncio.StreamReader) -> None:
        while data := await stream.read(4096):
            self._said += data
            del self._said[:-COMPLAINT_BYTES]

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


async def start_program(config: AcpConfig, directory: Path, environment: Mapping[str, str]) -> Program:
    """Start it in `directory`, which is there, with what of the server's `environment` it may have.

    CannotStart if it is not installed.
    """
    variables = variables_of(config, environment)
    command = _find(config, variables)
    hold, leash = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_GUARD), str(hold), *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=directory,
            env=variables,
            pass_fds=(hold,),
            limit=LONGEST_LINE_BYTES,
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
    program = Program(process, process.stdout, process.stdin, leash)
    program.start_listening()
    return program


def variables_of(config: AcpConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """The program's environment: what every program has, what a ready-made one is known to read, and `env`."""
    known = _known(config)
    names = COMMON_VARIABLES if known is None else (*COMMON_VARIABLES, *known.passes)
    variables = {name: environment[name] for name in names if name in environment}
    for name, value in config.env.items():
        variables[name] = _dereferenced(name, value, environment)
    return variables


def find_program(agent: CliAgent, environment: Mapping[str, str]) -> str | None:
    """Where a ready-made agent's program is, None if it is not installed."""
    return shutil.which(agent.command[0], path=environment.get("PATH", os.defpath))


def _dereferenced(name: str, value: str, environment: Mapping[str, str]) -> str:
    if not value.startswith(REFERENCE):
        return value
    referred = value.removeprefix(REFERENCE)
    if referred.startswith(OWN_PREFIX) or referred not in environment:
        raise CannotStart(
            f"The agent's variable {name} is to be {referred} of the server's environment, and it is not there:"
            f" set it where the server is started."
        )
    return environment[referred]


def _find(config: AcpConfig, variables: Mapping[str, str]) -> tuple[str, ...]:
    known = _known(config)
    command = config.command if known is None else known.command
    found = shutil.which(command[0], path=variables.get("PATH", os.defpath))
    if found is None and known is not None:
        raise CannotStart(
            f"{known.title} is not installed here: {command[0]} is not on the server's PATH."
            f" Install it: {known.install}"
        )
    if found is None:
        raise CannotStart(f"The agent's program {command[0]} is not on the server's PATH, or is no program.")
    return (found, *command[1:])


def _known(config: AcpConfig) -> CliAgent | None:
    return None if config.agent is None else CLI_AGENTS[config.agent]
