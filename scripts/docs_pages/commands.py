"""docs/reference/cli.md: the help text of every command, as the command prints it."""

from collections.abc import Iterator

import click

from scripts.docs_pages.markdown import compose
from sojourn.cli import program

WIDTH = 100


def page() -> str:
    return compose(
        "Commands",
        "the help texts of src/sojourn/cli",
        "`python -m sojourn` is `sojourn`. Commands that talk to a server find the local one, and its key, in the data"
        " directory.",
        *(block for path, command in _commands("sojourn", program) for block in _described(path, command)),
    )


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is None:
                raise LookupError(f"{path} lists {name} and does not have it.")
            yield from _commands(f"{path} {name}", found)


def _described(path: str, command: click.Command) -> list[str]:
    context = click.Context(
        command,
        info_name=path,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    return [f"## {path}", f"```text\n{click.unstyle(command.get_help(context))}\n```"]
