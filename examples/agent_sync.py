"""The agent of agent.py without asyncio: each turn has a thread of its own, and an interrupt ends the worker."""

import os
from contextlib import suppress

from sojourn.client.sync import Client, OutsideTurn, Worker


def handle(turn: OutsideTurn) -> str:
    with turn.message() as message:
        for word in turn.text.split():
            message.write(f"{word} ")
    with turn.tool("count", {"text": turn.text}) as tool:
        tool.output = str(len(turn.text.split()))
    turn.write_file("count.txt", tool.output.encode())
    return f"That was {tool.output} words."


with Client(os.environ["SOJOURN_URL"], os.environ["SOJOURN_KEY"]) as client, suppress(KeyboardInterrupt):
    Worker(client, handle).run()
