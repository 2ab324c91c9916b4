"""`sojourn inputs`: what waits to be read by a session, and how it is changed until then."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from sojourn.cli.connect import Reach, SessionArgument, SessionName, converse, reach_options, resolve
from sojourn.cli.groups import ListingGroup
from sojourn.cli.screen import ago, console, listing, one_line, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sojourn.client import Client, Input


@click.group("inputs", cls=ListingGroup)
def command() -> None:
    """What waits to be read by a session. Without a word more, it lists that."""


@command.command("ls")
@click.argument("session", type=SessionArgument(), default="last")
@reach_options
def ls(reach: Reach, session: SessionName) -> None:
    """List what waits in SESSION, an id or `last`, in the order in which it will be read."""

    async def talk(client: "Client") -> list["Input"]:
        return [input async for input in client.list_queue(await resolve(client, session))]

    waiting = converse(reach.target(), talk)
    if reach.as_json:
        print_json(*waiting)
    elif waiting:
        _print_table(waiting)
    else:
        console(stderr=True).print("[dim]Nothing waits.")


_input_argument = click.argument("input", type=click.UUID)
_revision_option = click.option(
    "--if-revision", type=click.IntRange(min=0), help="Only if it is still at this revision."
)


@command.command("edit")
@click.argument("session", type=SessionArgument())
@_input_argument
@click.argument("text")
@_revision_option
@reach_options
def edit(reach: Reach, session: SessionName, input: UUID, text: str, if_revision: int | None) -> None:
    """Make INPUT of SESSION, an id or `last`, say TEXT instead."""

    async def talk(client: "Client") -> "Input":
        return await client.edit_input(await resolve(client, session), input, text, if_revision)

    _tell(reach, "edited", converse(reach.target(), talk))


@command.command("mv")
@click.argument("session", type=SessionArgument())
@_input_argument
@click.option("--before", type=click.UUID, help="The input to put it before; without one it goes to the end.")
@_revision_option
@reach_options
def mv(reach: Reach, session: SessionName, input: UUID, before: UUID | None, if_revision: int | None) -> None:
    """Put INPUT of SESSION, an id or `last`, elsewhere in the queue."""

    async def talk(client: "Client") -> "Input":
        return await client.move_input(await resolve(client, session), input, before, if_revision)

    _tell(reach, "moved", converse(reach.target(), talk))


@command.command("rm")
@click.argument("session", type=SessionArgument())
@_input_argument
@_revision_option
@reach_options
def rm(reach: Reach, session: SessionName, input: UUID, if_revision: int | None) -> None:
    """Withdraw INPUT of SESSION, an id or `last`, so that it is never read."""

    async def talk(client: "Client") -> "Input":
        found = await resolve(client, session)
        await client.withdraw_input(found, input, if_revision)
        return await client.get_input(found, input)

    _tell(reach, "withdrawn", converse(reach.target(), talk))


def _tell(reach: Reach, done: str, input: "Input") -> None:
    if reach.as_json:
        print_json(input)
    else:
        console().print(done, f"{input.id}:", one_line(_text(input)), markup=False)


def _text(input: "Input") -> str:
    return "".join(part.text for part in input.content)


def _print_table(inputs: "Sequence[Input]") -> None:
    from rich.text import Text

    table = listing()
    table.add_column("input", no_wrap=True, min_width=36)
    table.add_column("from", no_wrap=True)
    table.add_column("delivery", no_wrap=True)
    table.add_column("waits", no_wrap=True, justify="right")
    table.add_column("says", no_wrap=True, overflow="ellipsis")
    for input in inputs:
        says = Text(one_line(_text(input)))
        table.add_row(str(input.id), input.priority, input.delivery, ago(input.received_at), says)
    console().print(table)
