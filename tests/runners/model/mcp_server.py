"""A server of the Model Context Protocol, made with the protocol's own library. Run as a program it speaks stdio."""

import asyncio
import os
from pathlib import Path

from mcp.server import MCPServer
from mcp_types import ToolAnnotations

READS = ToolAnnotations(read_only_hint=True)
server = MCPServer("of-the-test")


@server.tool(annotations=READS)
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool()
def variable(name: str) -> str:
    """A variable of the server's environment."""
    return os.environ.get(name, "nothing")


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("no such thing")


@server.tool()
async def hang(path: str) -> str:
    """Write the process's id, and never answer."""
    await asyncio.to_thread(Path(path).write_text, str(os.getpid()))
    await asyncio.Event().wait()
    return "never"


@server.tool()
def leave() -> str:
    """End the server without an answer."""
    os._exit(3)


@server.tool()
def flood() -> str:
    """Answer more than is taken."""
    return "x" * 100 * 1024


@server.tool(name="a.dotted/name")
def dotted() -> str:
    """Have a name that models do not take."""
    return "heard"


def learnt() -> str:
    """What only a server that has learnt it can do."""
    return "known"


if Path(os.environ.get("LEARNT", "nowhere")).is_file():
    server.tool()(learnt)

if __name__ == "__main__":
    server.run()
