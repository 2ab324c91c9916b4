"""`sojourn agents`: what sessions can be the sessions of, and the programs on this machine that can be one."""

import json
import os
from typing import TYPE_CHECKING

import click

from sojourn.cli.connect import Reach, converse, reach_options
from sojourn.cli.groups import ListingGroup
from sojourn.cli.screen import Trouble, console, one_line, print_json, printable
from sojourn.domain.runner_config.cli_agents import CLI_AGENTS, CliAgent

if TYPE_CHECKING:
    from sojourn.client import Agent, Client
    from sojourn.client.agent_types import AgentFields


@click.group("agents", cls=ListingGroup)
def command() -> None:
    """List agents, and make one of a program on the server's machine. Without a word more, it lists them."""


@command.command("ls")
@reach_options
def ls(reach: Reach) -> None:
    """List the agents in use."""

    async def talk(client: "Client") -> list["Agent"]:
        return [agent async for agent in client.list_agents()]

    agents = converse(reach.target(), talk)
    if reach.as_json:
        print_json(*agents)
        return
    for agent in agents:
        what = str(agent.runner_config.get("agent") or agent.model or "")
        click.echo(f"{printable(one_line(agent.name, 30)):<30}  {agent.runner:<8}  {printable(what)}")


@command.command("available")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def available(as_json: bool) -> None:
    """Show the programs that speak the Agent Client Protocol, and which of them are installed on this machine."""
    from sojourn.runners.acp.process import find_program

    for agent in CLI_AGENTS.values():
        found = find_program(agent, os.environ)
        if as_json:
            click.echo(json.dumps({"name": agent.name, "installed": found, "install": agent.install}))
            continue
        mark = click.style("installed", fg="green") if found else click.style("not here ", dim=True)
        click.echo(f"{agent.name:<12}  {mark}  {found or agent.install}")


@command.command("add")
@click.argument("program", type=click.Choice(tuple(CLI_AGENTS)))
@click.option("--name", help="What the agent is called.  [default: as the program]")
@click.option("--model", help="One of the program's own models.")
@click.option("--instructions", help="What it is told at the beginning of each session.")
@click.option(
    "--resume",
    type=click.Choice(("replay", "strict")),
    help="What becomes of a session that the program cannot go on with.",
)
@reach_options
def add(
    reach: Reach,
    program: str,
    name: str | None,
    model: str | None,
    instructions: str | None,
    resume: str | None,
) -> None:
    """Make an agent of PROGRAM, one that `sojourn agents available` shows, which runs on the server's machine."""
    wanted = CLI_AGENTS[program]
    fields: AgentFields = {"name": name or program, "runner": "acp"}
    fields["runner_config"] = {"agent": program} if resume is None else {"agent": program, "resume": resume}
    if model is not None:
        fields["model"] = model
    if instructions is not None:
        fields["instructions"] = instructions
    made = converse(reach.target(), lambda client: _make(client, fields))
    if reach.as_json:
        print_json(made)
        return
    screen = console()
    screen.print(
        f"{printable(made.name)} is {wanted.title}. Talk to it: sojourn chat --agent {made.name}{reach.again()}"
    )
    _warn(wanted)


async def _make(client: "Client", fields: "AgentFields") -> "Agent":
    from sojourn.client import Conflict

    try:
        return await client.create_agent(**fields)
    except Conflict:
        raise Trouble(
            f"There is an agent {fields.get('name')} already.",
            f"sojourn chat --agent {fields.get('name')}   (or give the new one another --name)",
        ) from None


def _warn(agent: CliAgent) -> None:
    """The server may run elsewhere, so what is missing here is worth a word and no more."""
    from sojourn.runners.acp.process import find_program

    if find_program(agent, os.environ) is None:
        click.echo(
            f"{agent.title} is not installed on this machine; if the server runs here: {agent.install}",
            err=True,
        )
