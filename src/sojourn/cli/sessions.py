"""`sojourn sessions`: what there is, and how it is forked, ended or removed."""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from uuid import UUID

import click

from sojourn.cli.connect import Reach, SessionArgument, SessionName, converse, reach_options, resolve
from sojourn.cli.groups import ListingGroup
from sojourn.cli.screen import (
    Trouble,
    ago,
    console,
    dollars,
    listing,
    one_line,
    print_json,
    printable,
    state,
    tokens,
)
from sojourn.cli.trees import tree

if TYPE_CHECKING:
    from sojourn.client import Activity, Budget, Client, EndStatus, HeldPresence, Session, SessionStatus, Turn
    from sojourn.client.types import NewFork, SessionFilter

_CHUNK_BYTES: Final = 64 * 1024
_STATUSES: Final = ("open", "completed", "failed", "cancelled", "expired")
_ACTIVITIES: Final = ("idle", "queued", "starting", "busy", "waiting", "retrying")


@click.group("sessions", cls=ListingGroup)
def command() -> None:
    """List, show, fork, extend, end, reopen and delete sessions. Without a word more, it lists them."""


@command.command("ls")
@click.option("--status", multiple=True, type=click.Choice(_STATUSES), help="Any of these; may be repeated.")
@click.option(
    "--activity", multiple=True, type=click.Choice(_ACTIVITIES), help="Any of these; may be repeated."
)
@click.option("--agent", help="Of this agent, by name or id.")
@click.option("--tag", "tags", multiple=True, help="With all of these; may be repeated.")
@click.option("--archived", is_flag=True, help="The archived ones.")
@click.option(
    "-n", "--limit", default=20, show_default=True, help="No more than this many, the newest first."
)
@reach_options
def ls(
    reach: Reach,
    *,
    status: Sequence["SessionStatus"],
    activity: Sequence["Activity"],
    agent: str | None,
    tags: Sequence[str],
    archived: bool,
    limit: int,
) -> None:
    """List sessions, the newest first."""
    filter: SessionFilter = {"status": status, "activity": activity, "tags": tags}
    filter["archived"] = "true" if archived else "false"
    if agent is not None:
        filter["agent"] = agent

    async def talk(client: "Client") -> tuple[list["Session"], dict[UUID, str]]:
        found: list[Session] = []
        async for session in client.list_sessions(min(limit, 1000), **filter):
            found.append(session)
            if len(found) >= limit:
                break
        named = set[UUID]() if reach.as_json else {session.agent.id for session in found}
        return found, {agent: (await client.get_agent(agent)).name for agent in named}

    sessions, agents = converse(reach.target(), talk)
    if reach.as_json:
        print_json(*sessions)
    elif sessions:
        _print_table(sessions, agents)
    else:
        console(stderr=True).print("[dim]No sessions. Start one: [/]sojourn chat")


@command.command("show")
@click.argument("session", type=SessionArgument())
@reach_options
def show(reach: Reach, session: SessionName) -> None:
    """Show SESSION, an id or `last`, who drives it, its budgets and its newest turns."""

    async def talk(
        client: "Client",
    ) -> tuple["Session", list["Turn"], list["Budget"], Sequence["HeldPresence"]]:
        found = await client.get_session(await resolve(client, session))
        turns = [turn async for turn in client.list_turns(found.id, page_size=1000)]
        budgets = [budget async for budget in client.list_budgets(found.id)]
        return found, turns, budgets, await client.list_presences(found.id)

    found, turns, budgets, presences = converse(reach.target(), talk)
    if reach.as_json:
        print_json(found)
        return
    _print_details(found)
    for presence in presences:
        _print_presence(presence)
    for budget in budgets:
        _print_budget(budget)
    for turn in turns[-5:]:
        _print_turn(turn)


@command.command("end")
@click.argument("session", type=SessionArgument())
@click.option(
    "--status",
    type=click.Choice(("completed", "failed", "cancelled")),
    default="completed",
    show_default=True,
)
@click.option("--reason", help="Kept with the session.")
@reach_options
def end(reach: Reach, session: SessionName, status: "EndStatus", reason: str | None) -> None:
    """End SESSION, an id or `last`. What it is doing is stopped; a later message reopens it."""

    async def talk(client: "Client") -> "Session":
        return await client.end_session(await resolve(client, session), status, reason)

    ended = converse(reach.target(), talk)
    if reach.as_json:
        print_json(ended)
    else:
        console().print("ended", state(ended.status, ended.activity), str(ended.id))


@command.command("reopen")
@click.argument("session", type=SessionArgument())
@reach_options
def reopen(reach: Reach, session: SessionName) -> None:
    """Open SESSION, an id or `last`, again after its end, where its policy allows."""

    async def talk(client: "Client") -> "Session":
        return await client.reopen_session(await resolve(client, session))

    _print_changed(reach, "reopened", converse(reach.target(), talk))


@command.command("extend")
@click.argument("session", type=SessionArgument())
@click.argument("seconds", type=click.FloatRange(min=0, min_open=True, max=1_000_000_000))
@reach_options
def extend(reach: Reach, session: SessionName, seconds: float) -> None:
    """Hold off the end that policy has for SESSION, an id or `last`, for SECONDS from now."""

    async def talk(client: "Client") -> "Session":
        return await client.extend_session(await resolve(client, session), seconds)

    _print_changed(reach, "extended", converse(reach.target(), talk))


@command.command("fork")
@click.argument("session", type=SessionArgument())
@click.option(
    "--at", type=click.IntRange(min=1), help="Share the log up to this event; all of it without this."
)
@click.option("--title", help="The parent's without this.")
@reach_options
def fork(reach: Reach, session: SessionName, at: int | None, title: str | None) -> None:
    """Make a session that begins with the log of SESSION, an id or `last`, and goes on by itself."""
    new: NewFork = {}
    if at is not None:
        new["at"] = at
    if title is not None:
        new["title"] = title

    async def talk(client: "Client") -> "Session":
        return await client.fork_session(await resolve(client, session), **new)

    made = converse(reach.target(), talk)
    if reach.as_json:
        print_json(made)
    else:
        console().print("forked", str(made.forked_from), "at event", str(made.forked_seq), "as", str(made.id))


@command.command("rewind")
@click.argument("session", type=SessionArgument())
@click.option(
    "--to", "to_seq", required=True, type=click.IntRange(min=1), help="The last event that is kept."
)
@reach_options
def rewind(reach: Reach, session: SessionName, to_seq: int) -> None:
    """Have SESSION, an id or `last`, go on behind an earlier event. Its log keeps what is taken back."""

    async def talk(client: "Client") -> "Session":
        return await client.rewind_session(await resolve(client, session), to_seq)

    found = converse(reach.target(), talk)
    if reach.as_json:
        print_json(found)
    else:
        console().print("rewound", str(found.id), "to event", str(to_seq))


@command.command("export")
@click.argument("session", type=SessionArgument())
@click.option(
    "--no-files", is_flag=True, help="Leave out the contents of its files; it cannot be imported then."
)
@click.option(
    "-o", "--output", type=click.File("wb", lazy=False), default="-", help="The standard output without this."
)
@reach_options
def export(reach: Reach, session: SessionName, no_files: bool, output: BinaryIO) -> None:
    """Write SESSION, an id or `last`, as JSON lines that `sojourn verify` can check."""

    async def talk(client: "Client") -> None:
        found = await resolve(client, session)
        async with aclosing(client.export_session(found, files=not no_files)) as chunks:
            async for chunk in chunks:
                output.write(chunk)

    converse(reach.target(), talk)


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agent", help="Its agent here, by name or id; the one of the file without this.")
@click.option("--new-id", is_flag=True, help="Give it an id of its own even if the one of the file is free.")
@reach_options
def import_(reach: Reach, file: Path, agent: str | None, new_id: bool) -> None:
    """Make a session of the exported one in FILE. Its log keeps its chain, and goes on from there."""

    async def read() -> AsyncIterator[bytes]:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk

    async def talk(client: "Client") -> "Session":
        return await client.import_session(read, agent=agent, new_id=new_id)

    made = converse(reach.target(), talk)
    if reach.as_json:
        print_json(made)
    else:
        console().print("imported as", str(made.id))


@command.command("rm")
@click.argument("session", type=SessionArgument())
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@reach_options
def rm(reach: Reach, session: SessionName, yes: bool) -> None:
    """Delete SESSION, an id or `last`, and its log. There is no way back."""
    target = reach.target()
    found = converse(target, lambda client: resolve(client, session))
    if not yes:
        if not sys.stdin.isatty():
            raise Trouble(f"Nobody is here to confirm that {found} is to be deleted.", "add --yes")
        click.confirm(f"Delete {found} and its log for good?", abort=True, err=True)
    converse(target, lambda client: client.delete_session(found))
    if reach.as_json:
        click.echo(f'{{"id":"{found}","deleted":true}}')
    else:
        console().print(f"deleted {found}")


command.add_command(tree)


def _print_changed(reach: Reach, word: str, session: "Session") -> None:
    if reach.as_json:
        print_json(session)
        return
    until = f"until {session.expires_at:%Y-%m-%d %H:%M:%S} UTC" if session.expires_at else "no end in sight"
    console().print(word, state(session.status, session.activity), str(session.id), until)


def _print_table(sessions: Sequence["Session"], agents: Mapping[UUID, str]) -> None:
    from rich.text import Text

    table = listing()
    table.add_column("id", no_wrap=True, min_width=36)
    table.add_column("state", no_wrap=True)
    table.add_column("title", no_wrap=True, overflow="ellipsis")
    table.add_column("agent", no_wrap=True, overflow="ellipsis")
    for name in ("turns", "tokens", "cost", "active"):
        table.add_column(name, no_wrap=True, justify="right")
    for session in sessions:
        table.add_row(
            str(session.id),
            state(session.status, session.activity),
            Text(one_line(session.title or "", 60)),
            Text(one_line(agents.get(session.agent.id, str(session.agent.id)[:8]), 20)),
            str(session.turns),
            f"{session.usage.input_tokens + session.usage.output_tokens:,}",
            dollars(session.usage.cost_usd),
            ago(session.active_at),
        )
    console().print(table)


def _print_details(session: "Session") -> None:
    from rich.text import Text

    rows: list[tuple[str, str | Text]] = [
        ("id", str(session.id)),
        ("state", state(session.status, session.activity)),
        *_waits(session),
        ("title", printable(session.title or "-")),
        ("agent", f"{session.agent.id} version {session.agent.version}"),
        ("log", f"events {session.first_seq} to {session.last_seq}"),
        ("turns", f"{session.turns}, {session.queued_inputs} inputs queued, {session.presences} presences"),
        ("usage", f"{tokens(session.usage)}, {dollars(session.usage.cost_usd)}"),
        ("created", f"{session.created_at:%Y-%m-%d %H:%M:%S} UTC, active {ago(session.active_at)} ago"),
    ]
    rows += [("tags", printable(", ".join(session.tags)))] if session.tags else []
    rows += [("external id", printable(session.external_id))] if session.external_id else []
    rows += (
        [("fork of", f"{session.forked_from} at event {session.forked_seq}")] if session.forked_from else []
    )
    rows += [("parent", str(session.parent.session))] if session.parent else []
    rows += [("children", f"{session.children} asked for")] if session.children else []
    rows += [("alias", printable(session.alias))] if session.alias else []
    rows += (
        [("expires", f"{session.expires_at:%Y-%m-%d %H:%M:%S} UTC, by its {session.expires_by} limit")]
        if session.expires_at
        else []
    )
    rows += [("ended", printable(session.end_reason))] if session.end_reason else []
    for name, value in rows:
        console().print(Text(f"{name:<12}", style="dim"), value, sep="", soft_wrap=True, markup=False)


def _print_presence(presence: "HeldPresence") -> None:
    from rich.text import Text

    seen = f"heard of {ago(presence.last_seen_at)} ago{', stale' if presence.stale else ''}"
    console().print(
        Text.assemble(("driven by   ", "dim"), f"{one_line(presence.holder)}  ", seen), soft_wrap=True
    )


def _print_budget(budget: "Budget") -> None:
    from rich.text import Text

    style = {"active": "green", "exhausted": "red", "disabled": "dim"}.get(budget.status, "yellow")
    left = f"{budget.balance:f} of {budget.limit:f} {budget.currency} left"
    console().print(
        Text.assemble(("budget      ", "dim"), f"{budget.id}  ", (f"{budget.status:<9}  ", style), left),
        soft_wrap=True,
    )


def _print_turn(turn: "Turn") -> None:
    from rich.text import Text

    style = {"completed": "green", "failed": "red"}.get(turn.status, "yellow")
    outcome = one_line(turn.error or turn.reason or "")
    console().print(
        Text.assemble(("turn        ", "dim"), f"{turn.id}  ", (f"{turn.status:<9}  ", style), outcome),
        soft_wrap=True,
    )


def _waits(session: "Session") -> list[tuple[str, str]]:
    pool = session.waits_for_pool
    return [] if pool is None else [("waits for", f"a worker of the pool {pool}")]
