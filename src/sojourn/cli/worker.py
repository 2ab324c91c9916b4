"""`sojourn worker`: runs turns of a server elsewhere, with a key and without its database."""

import asyncio
import logging
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from uuid import uuid4

import click

from sojourn.cli import home
from sojourn.cli.connect import Reach, Target, as_trouble, reach_options
from sojourn.cli.screen import console, print_json

if TYPE_CHECKING:
    from sojourn.wiring import Elsewhere

_LEVELS: Final = ("debug", "info", "warning", "error")
_RUNNERS: Final[tuple[Literal["model", "acp", "http"], ...]] = ("model", "acp", "http")


@click.command("worker")
@click.option(
    "--runner",
    "runners",
    type=click.Choice(_RUNNERS),
    multiple=True,
    help="Turns of this kind; may be repeated.  [default: model]",
)
@click.option(
    "--capacity",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Turns run side by side.",
)
@click.option("--name", help="What the log calls it.  [default: host/process]")
@click.option("--log-level", type=click.Choice(_LEVELS), default="warning", show_default=True)
@reach_options
def command(
    reach: Reach,
    runners: tuple[Literal["model", "acp", "http"], ...],
    capacity: int,
    name: str | None,
    log_level: str,
) -> None:
    """Claim turns of a server and run them here, until Ctrl-C or SIGTERM.

    Needs a key of the role worker. Models that the server has stored are asked from here, with the secrets that the key
    is given (`sojourn keys add --secret`). Other providers are configured here, as for a server.
    """
    import uvloop

    from sojourn.client import SojournError
    from sojourn.wiring import Elsewhere

    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    target = reach.target()
    elsewhere = Elsewhere(
        url=target.url,
        key=target.key,
        name=name or f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}",
        runners=runners or ("model",),
        pool="default",
        capacity=capacity,
    )
    try:
        uvloop.run(_work(reach.data_dir, elsewhere, target, reach.as_json))
    except SojournError as error:
        raise as_trouble(error, target) from error


async def _work(data_dir: Path | None, elsewhere: "Elsewhere", target: Target, as_json: bool) -> None:
    from sojourn.wiring import open_outside_worker

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    settings = home.load({"data_dir": data_dir})
    async with open_outside_worker(settings, elsewhere):
        if as_json:
            print_json({"url": target.url, "worker": elsewhere.name})
        else:
            kinds = ", ".join(elsewhere.runners)
            console().print(f"[bold]{elsewhere.name}[/] works for [green]{target.url}[/]  [dim]{kinds}[/]")
        await ended.wait()
