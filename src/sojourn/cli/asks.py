"""`sojourn asks`: what turns wait for, and its decision."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from sojourn.cli.connect import Reach, SessionArgument, SessionName, converse, reach_options, resolve
from sojourn.cli.deciding import NotUnderstood, denial, edited
from sojourn.cli.entries import asked
from sojourn.cli.groups import ListingGroup
from sojourn.cli.screen import Trouble, ago, console, listing, one_line, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sojourn.client import Ask, Client
    from sojourn.client.ask_types import Decided

# What waits longest is at the end of the list of sessions, so it is read whole, up to this.
_MAX_SESSIONS: Final = 1000


@click.group("asks", cls=ListingGroup)
def command() -> None:
    """What turns wait for, and its decision. Without a word more, it lists what is open."""


@command.command("ls")
@click.argument("session", type=SessionArgument(), required=False)
@reach_options
def ls(reach: Reach, session: SessionName | None) -> None:
    """List what is open in SESSION, an id or `last`, or in every session that waits."""

    async def talk(client: "Client") -> list["Ask"]:
        if session is not None:
            return await _open_asks(client, await resolve(client, session))
        waiting: list[UUID] = []
        async for found in client.list_sessions(1000, activity=["waiting"]):
            waiting.append(found.id)
            if len(waiting) == _MAX_SESSIONS:
                break
        return [ask for id in waiting for ask in await _open_asks(client, id)]

    asks = converse(reach.target(), talk)
    if reach.as_json:
        print_json(*asks)
    elif asks:
        _print_table(asks)
        console(stderr=True).print(f"[dim]Decide one: [/]sojourn asks allow {asks[0].session}{reach.again()}")
    else:
        console(stderr=True).print("[dim]Nothing waits for a decision.")


_ask_option = click.option("--ask", "ask", type=click.UUID, help="Which one, where several are open.")


@command.command("allow")
@click.argument("session", type=SessionArgument())
@_ask_option
@click.option("--always", is_flag=True, help="And every later call of this tool in this session.")
@click.option("--arguments", help="With these arguments instead of the model's: a JSON object.")
@reach_options
def allow(reach: Reach, session: SessionName, ask: UUID | None, always: bool, arguments: str | None) -> None:
    """Let the tool run that SESSION, an id or `last`, wants to be allowed."""
    try:
        decided: Decided = {"decision": "allow"} if arguments is None else edited(arguments)
    except NotUnderstood as error:
        raise Trouble(str(error)) from None
    if always:
        decided["always"] = True
    _decide(reach, session, ask, decided)


@command.command("deny")
@click.argument("session", type=SessionArgument())
@_ask_option
@click.option("--reason", default="", help="Read by the model.")
@click.option("--always", is_flag=True, help="And every later call of this tool in this session.")
@reach_options
def deny(reach: Reach, session: SessionName, ask: UUID | None, reason: str, always: bool) -> None:
    """Refuse what SESSION, an id or `last`, waits for."""
    decided = denial(reason)
    if always:
        decided["always"] = True
    _decide(reach, session, ask, decided)


@command.command("answer")
@click.argument("session", type=SessionArgument())
@click.argument("text")
@_ask_option
@reach_options
def answer(reach: Reach, session: SessionName, text: str, ask: UUID | None) -> None:
    """Answer the question of SESSION, an id or `last`, or give the result of a client's tool, with TEXT."""
    _decide(reach, session, ask, {"decision": "answer", "answer": text})


def _decide(reach: Reach, session: SessionName, ask: UUID | None, decided: "Decided") -> None:
    async def talk(client: "Client") -> "Ask":
        found = await resolve(client, session)
        return await client.decide_ask(found, ask or await _only_ask(client, found), **decided)

    done = converse(reach.target(), talk)
    if reach.as_json:
        print_json(done)
    else:
        console().print("decided", f"{decided['decision']}:", one_line(asked(done.kind, done.prompt)))


async def _open_asks(client: "Client", session: UUID) -> list["Ask"]:
    return [ask async for ask in client.list_asks(session)]


async def _only_ask(client: "Client", session: UUID) -> UUID:
    asks = await _open_asks(client, session)
    match asks:
        case []:
            raise Trouble(f"The session {session} waits for no decision.", "sojourn asks")
        case [only]:
            return only.id
        case _:
            raise Trouble(
                f"The session {session} waits for {len(asks)} decisions.",
                f"--ask {asks[0].id}   (`sojourn asks ls {session}` shows them all)",
            )


def _print_table(asks: "Sequence[Ask]") -> None:
    from rich.text import Text

    table = listing()
    table.add_column("session", no_wrap=True, min_width=36)
    table.add_column("ask", no_wrap=True, min_width=36)
    table.add_column("waits", no_wrap=True, justify="right")
    table.add_column("until", no_wrap=True, justify="right")
    table.add_column("for", no_wrap=True, overflow="ellipsis")
    for ask in asks:
        wanted = Text(one_line(asked(ask.kind, ask.prompt)))
        table.add_row(str(ask.session), str(ask.id), ago(ask.created_at), _until(ask.expires_at), wanted)
    console().print(table)


def _until(instant: "datetime | None") -> str:
    return "-" if instant is None else f"{instant.astimezone():%d %b %H:%M}"
