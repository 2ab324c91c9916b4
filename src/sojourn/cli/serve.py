"""`sojourn serve`: the server, from its settings to its last stream."""

import errno
import logging
import resource
import shlex
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sojourn.cli import home
from sojourn.cli.screen import Trouble, console, print_json

if TYPE_CHECKING:
    from sojourn.config import Settings
    from sojourn.runners.model.shell import Shell
    from sojourn.wiring import Running

# Systems that state no hard limit have one all the same, and refuse to be asked for more.
_OPEN_FILES: Final = 65_536
_LEVELS: Final = ("debug", "info", "warning", "error")


@click.command("serve")
@click.option("--host", help="The address to listen at.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port; 0 takes a free one.  [default: 3013]")
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Everything it keeps.  [default: sojourn-data]"
)
@click.option("--database-url", help="A Postgres to use instead of SQLite in the data directory.")
@click.option("--default-model", help="The model of agents that name none.  [default: sim/echo]")
@click.option("--worker-capacity", type=int, help="Turns run side by side; 0 runs none.  [default: 100]")
@click.option("--log-level", type=click.Choice(_LEVELS), default="warning", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
def command(log_level: str, as_json: bool, **flags: object) -> None:
    """Run the server until Ctrl-C or SIGTERM.

    Every option may also stand in the environment (SOJOURN_PORT) or in a file sojourn.toml beside it (port = 3013).
    """
    import uvloop

    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    settings = home.load(flags)
    _allow_many_connections()
    with _listen(settings.host, settings.port) as listener:
        uvloop.run(_serve(settings, listener, as_json))


async def _serve(settings: "Settings", listener: socket.socket, as_json: bool) -> None:
    from sojourn.cli.server import run_server
    from sojourn.cli.stores import store_troubles
    from sojourn.wiring import open_services

    host, port = listener.getsockname()[:2]
    url = f"http://{home.shown_host(host)}:{port}"
    with store_troubles(settings):
        async with open_services(settings) as running:
            await run_server(
                running.services,
                listener,
                lambda: _announce(settings, running, url, as_json),
                settings.max_body_bytes,
            )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Trouble(
                f"Something listens on {home.shown_host(host)}:{port} already.",
                f"sojourn serve --port {port + 1}   (or --port 0 for any free one)",
            ) from error
        raise Trouble(f"Listening on {host}:{port} is not possible: {error.strerror}.") from error


def _allow_many_connections() -> None:
    """A stream is an open file, and the usual soft limit of 1,024 is one for programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _announce(settings: "Settings", running: "Running", url: str, as_json: bool) -> None:
    """Called once it answers. The key is shown at the first start only, and kept for the commands of this user."""
    place = home.Home(settings.data_dir, url)
    place.write_url(url)
    if running.new_key is not None:
        place.write_key(running.new_key)
    if as_json:
        sandbox = None if running.shell is None else running.shell.sandbox
        said = {"url": url, "key": running.new_key, "data_dir": str(settings.data_dir), "sandbox": sandbox}
        print_json(said)
        return
    _print_welcome(settings, running.new_key, running.shell, url)


def _print_welcome(settings: "Settings", new_key: str | None, shell: "Shell | None", url: str) -> None:
    from rich.markup import escape

    from sojourn import __version__

    out = console()
    data_dir = escape(shlex.quote(str(settings.data_dir)))
    key_path = f"{data_dir}/cli-key"
    is_simulated = settings.default_model.startswith("sim/")
    model_note = "  [yellow]simulated: it repeats what it hears[/]" if is_simulated else ""
    where = "Postgres" if settings.database_url else f"SQLite in {data_dir}"
    out.print(f"[bold]Sojourn {__version__}[/]  [green]{url}[/]  [dim]Ctrl-C ends it[/]")
    out.print(f"  data   {where}")
    out.print(f"  model  {escape(settings.default_model)}{model_note}")
    if shell is not None:
        where = f"{shell.sandbox}: agents' commands run in it"
        if shell.sandbox is None:
            where = shell.missing or "agents' commands run with workers elsewhere"
        out.print(f"  shell  {escape(where)}", soft_wrap=True)
    if new_key is not None:
        out.print(f"  key    [bold]{new_key}[/]  [dim]shown this once, kept in {key_path}[/]", soft_wrap=True)
    elif settings.bootstrap_key is None:
        out.print(f"  key    [dim]the one of the first start, kept in {key_path}[/]", soft_wrap=True)
    option = "" if settings.data_dir == type(settings)().data_dir else f" --data-dir {data_dir}"
    key = "$SOJOURN_BOOTSTRAP_KEY" if settings.bootstrap_key is not None else f"$(cat {key_path})"
    out.print("[dim]try[/]")
    out.print(f"  sojourn chat{option}", soft_wrap=True)
    out.print(f"  sojourn sessions{option}", soft_wrap=True)
    out.print(f'  curl -H "Authorization: Bearer {key}" {url}/sojourn/v1/sessions', soft_wrap=True)
