"""`sojourn demo`: a server, a language model and a session at work, and what a killed server does to them."""

import asyncio
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import click
from rich.markup import escape

from sojourn.cli.chat_screens import JsonScreen, PipeScreen
from sojourn.cli.chat_terminal import TerminalScreen
from sojourn.cli.demo_model import DemoModel, choose_model, prepare
from sojourn.cli.demo_server import ServerChild
from sojourn.cli.entries import print_entry
from sojourn.cli.screen import Trouble, console, dollars, tokens
from sojourn.cli.talk import Screen, Talk
from sojourn.client import AnswerPart, Client, Event, TextAdded

_FIRST: Final = "What is a log book? Answer in one sentence."
_SECOND: Final = "Tell me a short story about a ship that lost its log book."
_CHARACTERS_BEFORE_CRASH: Final = 60
_PATIENCE_SECONDS: Final = 60.0


@click.command("demo")
@click.option(
    "--model", metavar="PROVIDER/NAME", help="[default: by the provider keys in the environment, else local]"
)
@click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Keep everything here.  [default: thrown away]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the log of the session, one JSON object a line.")
def command(model: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Watch one session from its first word to its log, through a server that is killed half-way.

    Starts a server of its own, with a small language model on this machine unless a provider's key is in the
    environment. Nothing needs to be set up.
    """
    chosen = choose_model(model, os.environ)
    with _place(data_dir) as place:
        asyncio.run(_Demo(place, data_dir is not None, as_json).run(chosen))


def cache_dir() -> Path:
    """Where downloads stay when the demo's data goes (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sojourn" / "models"


@contextmanager
def _place(data_dir: Path | None) -> Generator[Path]:
    """The data directory; unless it is named, one for this demo only, which shares the user's downloads."""
    if data_dir is not None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield data_dir
        return
    cache_dir().mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="sojourn-demo-"))
    try:
        (place / "models").symlink_to(cache_dir())
        yield place
    finally:
        shutil.rmtree(place)


@dataclass(frozen=True, slots=True)
class _Demo:
    place: Path
    is_kept: bool
    as_json: bool

    async def run(self, chosen: DemoModel) -> None:
        self._say("[bold]Sojourn[/]  a session, from its first word to its log, through a crash")
        model = await prepare(chosen, self.place / "models")
        self._step("model", model.name, model.words)
        async with ServerChild(self.place, model.name) as server:
            self._step("server", server.url, f"a process of its own, SQLite in {self.place}")
            async with Client(server.url, server.key, give_up_after_seconds=_PATIENCE_SECONDS) as client:
                session = await client.create_session(title="Demo")
                self._step("session", str(session.id), "\n")
                await _converse(client, session.id, server, _screen(self.as_json), model)
                await self._sum_up(client, session.id)
        if model.caveat:
            self._say(f"[yellow]{model.caveat}[/]")
        self._say("[dim]what next[/]")
        for line in self._next_steps(session.id, model):
            self._say(f"  {line}")

    async def _sum_up(self, client: Client, session: UUID) -> None:
        events = await _whole_log(client, session)
        found = await client.get_session(session)
        if not self.as_json:
            self._say("\n[dim]the log[/]")
            for event in events:
                print_entry(event)
        self._say(f"\n[green]✓[/] {_proof(events)}")
        cost = dollars(found.usage.cost_usd) if found.usage.cost_usd is not None else "nothing to pay"
        self._say(f"[green]✓[/] {tokens(found.usage)}, {cost}")

    def _next_steps(self, session: UUID, model: DemoModel) -> list[str]:
        if self.is_kept:
            option = f" --data-dir {shlex.quote(str(self.place))}"
            return [f"sojourn serve --default-model {model.name}{option}", f"sojourn chat {session}{option}"]
        return [f"sojourn serve --default-model {model.name}", "sojourn chat", "sojourn sessions"]

    def _step(self, name: str, what: str, words: str) -> None:
        self._say(f"[green]✓[/] {name:<8} {escape(what)}  [dim]{escape(words)}[/]")

    def _say(self, markup: str) -> None:
        if not self.as_json:
            console().print(markup, soft_wrap=True)


class _Watched:
    """A screen, and the moment at which some words of an answer are on it."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._characters = 0
        self._reached = asyncio.Event()

    async def until_words(self) -> None:
        """Return in the middle of the next answer."""
        self._characters = 0
        self._reached.clear()
        await self._reached.wait()

    def event(self, event: Event) -> None:
        self._screen.event(event)

    def part(self, part: AnswerPart) -> None:
        self._screen.part(part)
        if isinstance(part, TextAdded):
            self._characters += len(part.text)
            if self._characters >= _CHARACTERS_BEFORE_CRASH:
                self._reached.set()

    def note(self, text: str, fg: str | None = None, dim: bool = False) -> None:
        self._screen.note(text, fg=fg, dim=dim)


def _screen(as_json: bool) -> Screen:
    if as_json:
        return JsonScreen()
    return TerminalScreen() if sys.stdout.isatty() else PipeScreen(shows_inputs=True)


async def _converse(
    client: Client, session: UUID, server: ServerChild, screen: Screen, model: DemoModel
) -> None:
    """Two questions; the server is killed while it answers the second, and started again."""
    watched = _Watched(screen)
    talk = Talk(client, session, watched, 0)
    try:
        await talk.say(_FIRST)
        async with asyncio.TaskGroup() as tasks:
            answered = tasks.create_task(talk.say(_SECOND))
            mid_answer = tasks.create_task(watched.until_words())
            await asyncio.wait({answered, mid_answer}, return_when=asyncio.FIRST_COMPLETED)
            mid_answer.cancel()
            if not answered.done() and not model.is_simulated:
                watched.note("here the server is killed (SIGKILL), and started again", fg="red")
                await server.kill()
                await server.start()
    finally:
        await talk.leave()


async def _whole_log(client: Client, session: UUID) -> list[Event]:
    events: list[Event] = []
    while True:
        page = await client.events_page(session, len(events), 1000)
        events += page.data
        if page.next_cursor is None:
            return events


def _proof(events: list[Event]) -> str:
    """What the log shows, in words. Trouble if it does not."""
    seqs = [event.seq for event in events]
    answers = sum(event.type == "message.completed" for event in events)
    if seqs != list(range(1, len(seqs) + 1)) or answers != 2:
        raise Trouble(
            f"The log is not as it should be: {len(seqs)} events up to {seqs[-1]}, {answers} answers."
        )
    crashes = sum(event.type == "turn.reclaimed" for event in events)
    survived = ", through a killed server" if crashes else ""
    return f"{len(events)} events in one order without a gap, 2 questions, 2 answers{survived}"
