"""`sojourn keys`: who may ask this server, and for what."""

from typing import TYPE_CHECKING, Literal, TypedDict, Unpack
from uuid import UUID

import click

from sojourn.cli.connect import Reach, converse, reach_options
from sojourn.cli.screen import console, json_line, print_json

if TYPE_CHECKING:
    from sojourn.client import Client

Role = Literal["admin", "member", "reporter", "worker"]
Runner = Literal["model", "acp", "http", "external"]
_ROLES = click.Choice(["admin", "member", "reporter", "worker"])
_RUNNERS = click.Choice(["model", "acp", "http", "external"])


class Given(TypedDict):
    """What a worker's key is limited to, and the stored secrets that it is given."""

    runners: tuple[Runner, ...]
    pools: tuple[str, ...]
    agents: tuple[UUID, ...]
    secrets: tuple[str, ...]


@click.group("keys")
def command() -> None:
    """Make, list and revoke the keys of the organisation. Needs a key of the role admin."""


@command.command("add")
@click.argument("name")
@click.option("--role", type=_ROLES, default="member", show_default=True)
@click.option(
    "--runner", "runners", type=_RUNNERS, multiple=True, help="A worker's: only turns of this runner."
)
@click.option("--pool", "pools", multiple=True, help="A worker's: only turns of this pool.")
@click.option(
    "--agent", "agents", type=click.UUID, multiple=True, help="A worker's: only turns of this agent."
)
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    help="A worker's: give it the value of secret://NAME, wherever it runs.",
    metavar="NAME",
)
@reach_options
def add(reach: Reach, name: str, role: Role, **given: Unpack[Given]) -> None:
    """Make the key NAME and print it. It is shown this once."""

    async def talk(client: "Client") -> None:
        made = await client.create_key(name, role, **given)
        click.echo(json_line(made) if reach.as_json else made.token)

    converse(reach.target(), talk)


@command.command("list")
@reach_options
def list_keys(reach: Reach) -> None:
    """List the keys, the revoked ones too."""

    async def talk(client: "Client") -> None:
        for key in await client.list_keys():
            if reach.as_json:
                print_json(key)
                continue
            limits = [*key.limits.runners, *key.limits.pools, *map(str, key.limits.agents)]
            of = f"  only {', '.join(limits)}" if limits else ""
            if key.secrets:
                of += f"  given {', '.join(f'secret://{secret}' for secret in key.secrets)}"
            state = "in use" if key.revoked_at is None else "revoked"
            line = f"{key.id}  {key.role:<8}  {state:<7}  {key.name}{of}"
            console().print(line, markup=False, highlight=False, soft_wrap=True)

    converse(reach.target(), talk)


@command.command("revoke")
@click.argument("id", type=click.UUID)
@reach_options
def revoke(reach: Reach, id: UUID) -> None:
    """Let nobody in with the key ID, any more."""

    async def talk(client: "Client") -> None:
        revoked = await client.revoke_key(id)
        click.echo(json_line(revoked) if reach.as_json else f"{revoked.id} is revoked")

    converse(reach.target(), talk)
