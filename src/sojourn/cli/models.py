"""`sojourn models`: the names, providers and keys by which models are asked."""

import sys
from typing import TYPE_CHECKING

import click

from sojourn.cli.connect import Reach, converse, reach_options
from sojourn.cli.groups import ListingGroup
from sojourn.cli.screen import console, print_json, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sojourn.client import Client
    from sojourn.client.model_types import Model, Provider, ProviderKind, StoredSecret
    from sojourn.client.wire import Wire

_KINDS = ("anthropic", "google", "openai", "openai-compatible")


@click.group("models", cls=ListingGroup)
def command() -> None:
    """The names, providers and keys by which models are asked. Without a word more, it lists them."""


@command.command("ls")
@reach_options
def ls(reach: Reach) -> None:
    """List the models, providers and secrets that are stored."""

    async def talk(
        client: "Client",
    ) -> tuple["Sequence[Model]", "Sequence[Provider]"]:
        return await client.list_models(), await client.list_providers()

    models, providers = converse(reach.target(), talk)
    if reach.as_json:
        print_json(*models, *providers)
        return
    for model in models:
        console().print(f"{model.name}  {model.provider}/{printable(model.model)}", markup=False)
    for provider in providers:
        place = printable(provider.base_url or "its own address")
        key = provider.api_key or "no key"
        console().print(f"{provider.name}/…  {provider.kind} at {place}, {key}", markup=False)
    if not models and not providers:
        console(stderr=True).print("[dim]Nothing is stored. Agents name models as provider/model.")


@command.command("add")
@click.argument("name")
@click.argument("provider")
@click.argument("model")
@reach_options
def add(reach: Reach, name: str, provider: str, model: str) -> None:
    """Let agents say NAME for MODEL of PROVIDER."""
    made = converse(reach.target(), lambda client: client.put_model(name, provider=provider, model=model))
    _tell(reach, made, f"{made.name} is {made.provider}/{printable(made.model)}")


@command.command("provider")
@click.argument("name")
@click.option("--kind", type=click.Choice(_KINDS), default="openai-compatible", show_default=True)
@click.option("--base-url", help="Where it listens; the vendor's own address without this.")
@click.option("--api-key", help="secret://NAME, or env:SOJOURN_AGENT_… of the server's environment.")
@reach_options
def provider(
    reach: Reach, name: str, kind: "ProviderKind", base_url: str | None, api_key: str | None
) -> None:
    """Store a provider, whose models are then NAME/model."""

    async def talk(client: "Client") -> "Provider":
        return await client.put_provider(name, kind=kind, base_url=base_url, api_key=api_key)

    made = converse(reach.target(), talk)
    _tell(reach, made, f"models of {made.kind} are {made.name}/…")


@command.command("secret")
@click.argument("name")
@reach_options
def secret(reach: Reach, name: str) -> None:
    """Store what is typed, or read from the standard input, as secret://NAME."""
    typed = click.prompt("value", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read()
    value = str(typed).rstrip("\n")

    async def talk(client: "Client") -> "StoredSecret":
        return await client.put_secret(name, value)

    made = converse(reach.target(), talk)
    _tell(reach, made, f"stored secret://{made.name}")


def _tell(reach: Reach, made: "Wire", line: str) -> None:
    if reach.as_json:
        print_json(made)
    else:
        console().print(line, markup=False)
