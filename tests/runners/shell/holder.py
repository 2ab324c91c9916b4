"""`python holder.py SANDBOX DIRECTORY COMMAND`: runs a command in a sandbox, in a process that a test kills."""

import asyncio
import os
import sys
from pathlib import Path

from sojourn.runners.program import start_guarded
from sojourn.runners.shell.archive import END
from sojourn.runners.shell.sandbox import VARIABLES, candidates


async def main(name: str, hidden: str, command: str) -> None:
    sandbox = next(each for each in candidates(os.environ, Path(hidden)) if each.name == name)
    nowhere = [os.open(os.devnull, os.O_WRONLY) for _ in range(2)]
    program = await start_guarded(sandbox.words(command, 60), Path("/"), VARIABLES, gives=nowhere)
    program.writer.write(END + END)
    program.writer.close()
    assert await program.reader.readline() == b"started\n"
    print(program.process.pid, flush=True)
    await program.ended()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
