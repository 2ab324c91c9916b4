"""`sojourn tail`: the log of a session on the terminal."""

from contextlib import aclosing
from typing import TYPE_CHECKING
from uuid import UUID

import click

from sojourn.cli.connect import Reach, SessionArgument, SessionName, converse, reach_options, resolve
from sojourn.cli.screen import console, print_json

if TYPE_CHECKING:
    from sojourn.client import Client, StreamItem

_PAGE_EVENTS = 1000


@click.command("tail")
@click.argument("session", type=SessionArgument())
@click.option("--after", default=0, metavar="SEQ", help="Leave out the events up to this one.")
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows; Ctrl-C ends it.")
@reach_options
def command(reach: Reach, session: SessionName, after: int, follow: bool) -> None:
    """Print the log of SESSION, an id or `last`: one line an event."""
    target = reach.target()
    printer = LogPrinter(reach.as_json)

    async def talk(client: "Client") -> None:
        found = await resolve(client, session)
        await (_follow(client, found, after, printer) if follow else _print(client, found, after, printer))

    try:
        converse(target, talk)
    except KeyboardInterrupt:
        # The way to end it; the log goes on without us.
        raise click.exceptions.Exit(0) from None


class LogPrinter:
    """Prints what a stream gives, and on standard error what becomes of the connection."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._is_lost = False

    def show(self, item: "StreamItem") -> None:
        from sojourn.cli.entries import print_entry
        from sojourn.client import CaughtUp, Event, Gap

        match item:
            case Event() | Gap() if self._as_json:
                print_json(item)
            case Event():
                print_entry(item)
            case Gap(first_seq=first_seq):
                console().print(f"[dim]      the log before event {first_seq} is gone[/]")
            case CaughtUp() if self._is_lost:
                self._is_lost = False
                console(stderr=True).print("[green]server back, nothing was missed[/]")
            case _:
                pass

    def lose(self, cause: str) -> None:
        """Told of every failed attempt; says so once."""
        del cause
        if not self._is_lost:
            self._is_lost = True
            console(stderr=True).print("[yellow]server gone, reconnecting…[/]")


async def _print(client: "Client", session: UUID, after: int, printer: LogPrinter) -> None:
    while True:
        page = await client.events_page(session, after, _PAGE_EVENTS)
        for event in page.data:
            printer.show(event)
        if page.next_cursor is None:
            return
        after = page.data[-1].seq


async def _follow(client: "Client", session: UUID, after: int, printer: LogPrinter) -> None:
    # Refused before it is followed: a stream would wait for a server that was never there.
    await client.get_session(session)
    stream = client.stream(session, after, on_loss=printer.lose)
    async with aclosing(stream) as items:
        async for item in items:
            printer.show(item)
