"""The `sojourn` command. A command's module, and with it everything heavy, is imported when that command runs."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

from sojourn import __version__

# Name, then the one line that the list of commands shows; the module of that name holds the object `command`.
COMMANDS: Final[Mapping[str, str]] = {
    "demo": "See a server, a model and a session at work.",
    "serve": "Run the server.",
    "chat": "Talk to a session and watch it answer.",
    "agents": "List agents, and make one of a program on this machine.",
    "sessions": "List, show, end and delete sessions.",
    "budgets": "See what sessions may use up, limit it, and let one go on.",
    "inputs": "See what waits to be read, and edit, move or withdraw it.",
    "models": "Name models, their providers and keys.",
    "memory": "See and change what agents remember.",
    "capabilities": "See what agents can be given on this server.",
    "asks": "See what turns wait for, and decide it.",
    "verify": "Check an exported session, without a server.",
    "tail": "Print the log of a session, or follow it.",
    "org": "Show your organisation and change its policy.",
    "worker": "Run turns of a server elsewhere.",
    "keys": "Make, list and revoke keys.",
    "migrate": "Bring the database up to this release.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"sojourn.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(click.style(f"{name:<12}", fg="cyan"), line) for name, line in COMMANDS.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `sojourn demo`; or `sojourn serve`, and then `sojourn chat`.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Sojourn runs agent sessions and keeps each of them as a durable log."""
    if "NO_COLOR" in os.environ:
        ctx.color = False


def main() -> None:
    program(prog_name="sojourn")
