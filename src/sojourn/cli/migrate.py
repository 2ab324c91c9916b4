"""`sojourn migrate`: the database at this release's schema, without a server."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sojourn.cli import home
from sojourn.cli.screen import console, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sojourn.config import Settings


@click.command("migrate")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where the SQLite file is.  [default: sojourn-data]"
)
@click.option("--database-url", help="The Postgres.")
@click.option("--json", "as_json", is_flag=True, help="Print the applied migrations as one line of JSON.")
def command(as_json: bool, **flags: object) -> None:
    """Apply the migrations that the database lacks, and say which. `serve` does the same before it starts."""
    from sojourn.cli.stores import store_troubles

    settings = home.load(flags)
    with store_troubles(settings):
        applied = asyncio.run(_migrate(settings))
    if as_json:
        print_json({"applied": applied})
        return
    for name in applied:
        console().print(f"[green]✓[/] {name}")
    if not applied:
        console().print("[dim]nothing to apply: the database is at this release's schema[/]")


async def _migrate(settings: "Settings") -> "Sequence[str]":
    from sojourn.service.hub import Hub
    from sojourn.wiring import SteadyClock, open_store

    store = await open_store(settings, SteadyClock(), Hub())
    await store.close()
    return store.applied
