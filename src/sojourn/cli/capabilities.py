"""`sojourn capabilities`: what agents can be given on this server."""

from typing import TYPE_CHECKING

import click

from sojourn.cli.connect import Reach, converse, reach_options
from sojourn.cli.screen import console, json_line, print_json, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sojourn.client import Client
    from sojourn.client.capability_types import CapabilityKind


@click.command("capabilities")
@click.argument("name", required=False)
@reach_options
def command(reach: Reach, name: str | None) -> None:
    """See what agents can be given on this server, or one of these with the schema of its configuration."""

    async def talk(client: "Client") -> "Sequence[CapabilityKind]":
        return await client.list_capabilities() if name is None else [await client.get_capability(name)]

    for kind in converse(reach.target(), talk):
        if reach.as_json:
            print_json(kind)
        else:
            _tell(kind, is_whole=name is not None)


def _tell(kind: "CapabilityKind", is_whole: bool) -> None:
    tools = "its configuration decides" if kind.tools is None else ", ".join(kind.tools)
    console().print(f"{kind.name}  {printable(kind.description)}", markup=False)
    console().print(f"    tools: {printable(tools)}", markup=False)
    if kind.missing is not None:
        console().print(f"    not available: {printable(kind.missing)}", markup=False)
    if kind.note is not None:
        console().print(f"    {printable(kind.note)}", markup=False)
    if is_whole:
        import msgspec

        click.echo(msgspec.json.format(json_line(kind.config_schema)))
