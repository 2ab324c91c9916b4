"""Which sandbox works on this machine: each is tried with a command, in the order of preference."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Final

from sojourn.runners.shell.command import SandboxBroken, Stopped, run
from sojourn.runners.shell.sandbox import Sandbox, candidates

log = logging.getLogger(__name__)

PROBE_SECONDS: Final = 10.0
INSTALL: Final = (
    "install bubblewrap 0.8 or later, or util-linux (unshare, setpriv, prlimit), with tar and findutils,"
    " on a Linux that lets this user make user namespaces"
)


async def find_sandbox(environment: Mapping[str, str], hidden: Path) -> tuple[Sandbox | None, str | None]:
    """The first that works; None with what to do about it where none does.

    `hidden` is the server's own directory, which no command may see.
    """
    if sys.platform != "linux":
        return None, f"there is no sandbox on {sys.platform}; run the server, or a worker, on Linux"
    reasons: list[str] = []
    for sandbox in candidates(environment, hidden):
        reason = await _trouble(sandbox)
        if reason is None:
            return sandbox, None
        log.warning("the sandbox %s does not work here: %s", sandbox.name, reason)
        reasons.append(f"{sandbox.name}: {reason}")
    log.warning("no sandbox works here: no command of an agent is run")
    tried = "; ".join(reasons) or "no program of one is installed"
    return None, f"no sandbox works here ({tried}): {INSTALL}"


async def _trouble(sandbox: Sandbox) -> str | None:
    """Why it cannot be used, None where a file comes back as it was made in there."""
    try:
        # In a process of its own: kernels before 5.14 count those of the same user outside too.
        ended = await run(sandbox, _nothing(), "(echo made > file); true", PROBE_SECONDS)
    except (SandboxBroken, Stopped, OSError) as error:
        return " ".join(str(error).split())[:300]
    return None if ended.changed == {b"file": b"made\n"} else f"a file is not brought back: {ended}"[:300]


async def _nothing() -> AsyncGenerator[tuple[str, bytes]]:
    for each in ():
        yield each
    await asyncio.sleep(0)
