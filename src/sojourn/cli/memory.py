"""`sojourn memory`: what agents remember from one session to the next."""

import sys
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

import click

from sojourn.cli.connect import Reach, converse, reach_options
from sojourn.cli.groups import ListingGroup
from sojourn.cli.screen import Trouble, console, print_json, printable

if TYPE_CHECKING:
    from sojourn.client import Client, Memory, MemoryEntry


@click.group("memory", cls=ListingGroup)
def command() -> None:
    """What agents remember from one session to the next. With an agent's name alone, it lists that."""


@command.command("ls")
@click.argument("agent")
@click.argument("directory", default="")
@reach_options
def ls(reach: Reach, agent: str, directory: str) -> None:
    """List what AGENT, a name or an id, remembers, or what of it is below DIRECTORY."""

    async def talk(client: "Client") -> list["MemoryEntry"]:
        found = client.list_memories(await _agent(client, agent), directory)
        return [entry async for entry in found]

    for entry in converse(reach.target(), talk):
        if reach.as_json:
            print_json(entry)
        else:
            by = "an agent" if entry.written_by.session is not None else "a client"
            console().print(
                f"{printable(entry.path)}  {entry.size} bytes  {entry.updated_at:%Y-%m-%d %H:%M} by {by}",
                markup=False,
                soft_wrap=True,
            )


@command.command("show")
@click.argument("agent")
@click.argument("path")
@reach_options
def show(reach: Reach, agent: str, path: str) -> None:
    """Print what AGENT remembers at PATH."""

    async def talk(client: "Client") -> "Memory":
        return await client.get_memory(await _agent(client, agent), path)

    memory = converse(reach.target(), talk)
    if reach.as_json:
        print_json(memory)
    else:
        # A file gets the text as it is; a terminal must not be driven by it.
        click.echo(printable(memory.text) if sys.stdout.isatty() else memory.text, nl=False)


@command.command("put")
@click.argument("agent")
@click.argument("path")
@click.argument("file", type=click.File("rb"), default="-")
@reach_options
def put(reach: Reach, agent: str, path: str, file: BinaryIO) -> None:
    """Have AGENT remember the text of FILE, or of the standard input, at PATH."""
    try:
        text = file.read().decode()
    except UnicodeDecodeError:
        raise Trouble("What an agent remembers is text in UTF-8, and this is not.") from None

    async def talk(client: "Client") -> "MemoryEntry":
        return await client.put_memory(await _agent(client, agent), path, text)

    entry = converse(reach.target(), talk)
    if reach.as_json:
        print_json(entry)
    else:
        click.echo(f"{printable(entry.path)} has {entry.size} bytes")


@command.command("delete")
@click.argument("agent")
@click.argument("path")
@reach_options
def delete(reach: Reach, agent: str, path: str) -> None:
    """Have AGENT forget what is at PATH."""

    async def talk(client: "Client") -> None:
        await client.delete_memory(await _agent(client, agent), path)

    converse(reach.target(), talk)


async def _agent(client: "Client", named: str) -> UUID:
    try:
        return UUID(named)
    except ValueError:
        pass
    async for agent in client.list_agents(search=named):
        if agent.name == named:
            return agent.id
    raise Trouble(f"There is no agent {named}.", "sojourn agents")
