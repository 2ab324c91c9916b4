"""An agent of one's own: run it anywhere, with the address of a server and a key of the role worker.

Its agent on the server has the runner `external`: `{"name": "counter", "runner": "external"}`.
"""

import asyncio
import os

from sojourn.client import Client, OutsideTurn, Worker


async def handle(turn: OutsideTurn) -> str:
    async with turn.message() as message:
        for word in turn.text.split():
            await message.write(f"{word} ")
    async with turn.tool("count", {"text": turn.text}) as tool:
        tool.output = str(len(turn.text.split()))
    await turn.write_file("count.txt", tool.output.encode())
    return f"That was {tool.output} words."


async def main() -> None:
    async with Client(os.environ["SOJOURN_URL"], os.environ["SOJOURN_KEY"]) as client:
        await Worker(client, handle).run()


asyncio.run(main())
