"""`sojourn sessions tree`: a session and those that it and its children have started, as a picture."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import click

from sojourn.cli.connect import Reach, SessionArgument, SessionName, converse, reach_options, resolve
from sojourn.cli.screen import console, dollars, one_line, print_json, state, tokens

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from sojourn.client import Client, SessionTree, TreeNode


@click.command("tree")
@click.argument("session", type=SessionArgument())
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 1000),
    default=200,
    show_default=True,
    help="No more than this many.",
)
@reach_options
def tree(reach: Reach, session: SessionName, limit: int) -> None:
    """Show SESSION, an id or `last`, with the sessions below it: what each does and has used."""

    async def talk(client: "Client") -> tuple["SessionTree", dict[UUID, str]]:
        found = await client.session_tree(await resolve(client, session), limit)
        named = set[UUID]() if reach.as_json else {node.agent.id for node in found.nodes}
        return found, {agent: (await client.get_agent(agent)).name for agent in named}

    found, agents = converse(reach.target(), talk)
    if reach.as_json:
        print_json(found)
        return
    console().print(_picture(found, agents))
    usage = f"{tokens(found.usage)}, {dollars(found.usage.cost_usd)}"
    more = "" if found.whole else "; there are more, see --limit"
    console().print(f"{len(found.nodes)} sessions, {usage}{more}", style="dim", markup=False)


def _picture(found: "SessionTree", agents: Mapping[UUID, str]) -> "Tree":
    from rich.tree import Tree

    top, *rest = found.nodes
    picture = Tree(_line(top, agents))
    branches = {top.id: picture}
    for node in rest:
        # Each stands before its children.
        parent = picture if node.parent is None else branches[node.parent]
        branches[node.id] = parent.add(_line(node, agents))
    return picture


def _line(node: "TreeNode", agents: Mapping[UUID, str]) -> "Text":
    from rich.text import Text

    used = f"{node.usage.input_tokens + node.usage.output_tokens:,} tokens"
    line = Text.assemble(state(node.status, node.activity), f"  {node.id}  ", (agents[node.agent.id], "bold"))
    if node.title:
        line.append(f"  {one_line(node.title, 60)}")
    return line.append(f"  {used}, {dollars(node.usage.cost_usd)}", style="dim")
