"""The child process that runs llama.cpp's server: started, watched, restarted and stopped from here."""

import asyncio
import importlib.util
import json
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from sojourn.runners.llama.progress import LocalModelUnavailable, Progress, ProgressListener
from sojourn.runners.llama.weights import find_weights

MODEL_NAME: Final = "smollm2"

# A model of 135 million parameters follows one short sentence and loses the thread of anything longer.
INSTRUCTIONS: Final = "You are a helpful assistant. Answer in one or two short sentences."

_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """An OpenAI-compatible endpoint on loopback. It changes whenever the server is started anew."""

    base_url: str
    api_key: str


@dataclass(frozen=True, slots=True)
class _Running:
    process: asyncio.subprocess.Process
    endpoint: LocalEndpoint


def _no_listener(progress: Progress) -> None:
    del progress


class LocalModel:
    """llama.cpp's OpenAI-compatible server with SmolLM2-135M, in a child process that never outlives this one.

    Entering it, or asking for its `endpoint`, starts the server; after a crash the next `endpoint` starts it anew.
    Starting raises LocalModelUnavailable.
    """

    model_name: Final = MODEL_NAME

    def __init__(self, cache_dir: Path, on_progress: ProgressListener = _no_listener) -> None:
        """`cache_dir` keeps the weights and the server's log; it is made if it is not there."""
        self._cache_dir = cache_dir
        self._on_progress = on_progress
        self._running: _Running | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.endpoint()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def base_url(self) -> str:
        """The base URL of the running server, `http://127.0.0.1:PORT/v1`."""
        if self._running is None:
            raise LocalModelUnavailable("The local model has not been started.")
        return self._running.endpoint.base_url

    @property
    def pid(self) -> int | None:
        """The server's process id, or None before the first start and after `stop`."""
        return None if self._running is None else self._running.process.pid

    @property
    def log_path(self) -> Path:
        """What llama.cpp says; overwritten at every start."""
        return self._cache_dir / "llama.log"

    async def endpoint(self) -> LocalEndpoint:
        """The endpoint of the running server, which is started first if it does not run."""
        async with self._starting:
            if self._running is None or self._running.process.returncode is not None:
                self._running = await self._start()
            return self._running.endpoint

    async def stop(self) -> None:
        """End the server and wait until it is gone. A stream that it was sending breaks off."""
        async with self._starting:
            if self._running is None:
                return
            process, self._running = self._running.process, None
            await _end(process)

    async def _start(self) -> _Running:
        if importlib.util.find_spec("xllamacpp") is None:
            raise LocalModelUnavailable("A local model needs llama.cpp: `pip install 'sojourn[local]'`.")
        weights = await find_weights(self._cache_dir, self._on_progress)
        self._on_progress(Progress("loading"))
        with self._open_log() as log:
            process = await asyncio.create_subprocess_exec(
                # -P: whatever lies in the working directory is not to be imported.
                *(sys.executable, "-P", "-m", "sojourn.runners.llama"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                # A Ctrl-C reaches the whole foreground group; the parent decides when the model goes.
                start_new_session=True,
            )
        api_key = secrets.token_urlsafe(24)
        port = None
        try:
            async with asyncio.timeout(_START_SECONDS):
                port = await _converse(process, weights, api_key)
        except TimeoutError:
            raise LocalModelUnavailable(f"llama.cpp took over {_START_SECONDS:.0f} s to start.") from None
        finally:
            if port is None:
                await _end(process)
        if port is None:
            raise LocalModelUnavailable(
                f"llama.cpp did not start: {self._complaint()} (more in {self.log_path})"
            )
        self._on_progress(Progress("ready"))
        return _Running(process, LocalEndpoint(f"http://127.0.0.1:{port}/v1", api_key))

    def _open_log(self) -> BinaryIO:
        self._cache_dir.mkdir(parents=True, exist_ok=True)
        return self.log_path.open("wb")

    def _complaint(self) -> str:
        """The first error in the log, which the later ones follow from, or the end of a traceback."""
        lines = self.log_path.read_text(errors="replace").splitlines() or ["it said nothing"]
        line = next((line for line in lines if " E " in line), lines[-1])
        # The one thing that the wheel takes from the system and a bare machine may lack.
        return f"{line}; on Debian and Ubuntu: apt-get install libgomp1" if "libgomp" in line else line


async def _converse(process: asyncio.subprocess.Process, weights: Path, api_key: str) -> int | None:
    """Say what to serve and read back the port, or None if the child ended instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    # By pipe and not by argument: arguments are public on a shared machine.
    order = {"model_path": str(weights), "alias": MODEL_NAME, "api_key": api_key}
    process.stdin.write(json.dumps(order).encode() + b"\n")
    line = await process.stdout.readline()
    return int(line) if line else None


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
