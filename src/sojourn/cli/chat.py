"""`sojourn chat`: a session to talk to."""

import contextlib
import math
import sys
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import click

from sojourn.cli.connect import (
    Reach,
    SessionArgument,
    SessionName,
    Target,
    as_trouble,
    converse,
    reach_options,
    resolve,
)
from sojourn.cli.deciding import MARKS, NotUnderstood, options, read_decision
from sojourn.cli.interrupts import INTERRUPTS
from sojourn.cli.screen import one_line

if TYPE_CHECKING:
    from sojourn.cli.chat_terminal import TerminalScreen
    from sojourn.cli.loop import LoopThread
    from sojourn.cli.talk import Screen, Talk
    from sojourn.client import Client, Session, TurnAsked, TurnClosed
    from sojourn.client.types import NewSession

T = TypeVar("T")

# What of a long log is shown again when a session is taken up.
_HISTORY_EVENTS = 200
_HELP = "Ctrl-C stops an answer, twice leaves; Ctrl-D leaves; /quit and /help do what they say"


class _Left(Exception):
    """The user has gone while a question was put to them."""


@click.command("chat")
@click.argument("session", type=SessionArgument(), required=False)
@click.option("-m", "--message", "messages", multiple=True, help="Say this and leave; may be repeated.")
@click.option("--agent", help="The agent of a new session, by name or id.")
@click.option("--title", help="The title of a new session.")
@reach_options
def command(
    reach: Reach, session: SessionName | None, messages: Sequence[str], agent: str | None, title: str | None
) -> None:
    """Talk to SESSION, an id or `last`, or to a new one.

    Without a terminal every line of the standard input is a message, and the answers are printed as text.
    """
    from sojourn.cli.chat_screens import JsonScreen, PipeScreen
    from sojourn.cli.chat_terminal import TerminalScreen

    target = reach.target()
    opened = converse(
        target, lambda client: _open(client, session, agent, title or next(map(_title_of, messages), None))
    )
    if reach.as_json or not sys.stdout.isatty():
        screen = JsonScreen() if reach.as_json else PipeScreen()
        _chat(target, opened, screen, iter(messages) if messages else _piped_lines(), history_events=0)
        return
    screen = TerminalScreen()
    screen.note(f"session {opened.id}", dim=True)
    if messages or not sys.stdin.isatty():
        _chat(target, opened, screen, iter(messages) if messages else _piped_lines())
    else:
        screen.note(_HELP, dim=True)
        _chat(target, opened, screen, _typed_lines(screen), answers=screen)
    screen.note(f"to go on: sojourn chat {opened.id}{reach.again()}", dim=True)


async def _open(
    client: "Client", session: SessionName | None, agent: str | None, title: str | None
) -> "Session":
    if session is not None:
        return await client.get_session(await resolve(client, session))
    new: NewSession = {}
    if agent is not None:
        new["agent"] = agent
    if title is not None:
        new["title"] = title
    return await client.create_session(**new)


def _chat(
    target: Target,
    session: "Session",
    screen: "Screen",
    lines: Iterator[str],
    *,
    answers: "TerminalScreen | None" = None,
    history_events: int = _HISTORY_EVENTS,
) -> None:
    """Show the end of the log, then say every line and show the answers.

    Somebody who types on `answers` decides what turns ask, and what the server refuses does not end the chat: the next
    line may be a better one.
    """
    from sojourn.cli.loop import LoopThread
    from sojourn.cli.talk import Talk
    from sojourn.client import Client, SojournError

    # The last time for the server to be asked impatiently was when the session was opened.
    client = Client(target.url, target.key, give_up_after_seconds=math.inf)
    after = max(session.first_seq - 1, session.last_seq - history_events)
    with LoopThread() as loop:
        talk = loop.submit(Talk.begin(client, session.id, screen, after)).result()
        chat = _Chat(loop, talk, screen, answers)
        try:
            with INTERRUPTS.held():
                chat.run(session, lines)
        except SojournError as error:
            raise as_trouble(error, target) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(130) from None
        finally:
            loop.submit(talk.leave()).result()
            loop.submit(client.aclose()).result()


@dataclass(frozen=True, slots=True)
class _Chat:
    loop: "LoopThread"
    talk: "Talk"
    screen: "Screen"
    answers: "TerminalScreen | None"

    def run(self, session: "Session", lines: Iterator[str]) -> None:
        from sojourn.client import ApiError, NotFound

        with contextlib.suppress(_Left):
            self._await(self.talk.catch_up())
            if session.open_turn is not None:
                self._see_out(session.open_turn)
            # A list of sessions without names helps nobody.
            lacks_title = self.answers is not None and session.title is None and session.turns == 0
            for line in lines:
                try:
                    if lacks_title:
                        self._await(self.talk.name(_title_of(line)))
                        lacks_title = False
                    closed = self._see_out(self._await(self.talk.send(line)))
                except NotFound:
                    raise
                except ApiError as error:
                    if self.answers is None:
                        raise
                    self.screen.note(str(error), fg="red")
                    continue
                if self.answers is None and (closed is None or closed.status != "completed"):
                    raise click.exceptions.Exit(1)

    def _see_out(self, turn: UUID) -> "TurnClosed | None":
        """Wait for the end of a turn, and have decided what it asks on the way."""
        from sojourn.client import TurnAsked

        if self.answers is None:
            return self._await(self.talk.end_of(turn))
        while isinstance(part := self._await(self.talk.next_of(turn)), TurnAsked):
            if part.kind in MARKS:
                try:
                    self._put(part, self.answers)
                except KeyboardInterrupt:
                    self._stop()
        return part

    def _put(self, asked: "TurnAsked", answers: "TerminalScreen") -> None:
        """Put a question to the user until there is a decision that the server takes, or none is wanted."""
        from sojourn.client import InvalidRequest

        for option in options(asked.prompt):
            answers.note(option, dim=True)
        while True:
            try:
                typed = answers.prompt(MARKS[asked.kind])
            except EOFError:
                raise _Left from None
            if not typed.strip():
                answers.note("left open; the turn waits, and Ctrl-C stops it", dim=True)
                return
            try:
                if not self._await(
                    self.talk.decide(asked.ask, read_decision(asked.kind, asked.prompt, typed))
                ):
                    answers.note("that is decided already", dim=True)
            except (NotUnderstood, InvalidRequest) as error:
                answers.note(str(error), fg="red")
            else:
                return

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Its result. Ctrl-C stops the open turn, and with it what is waited for; a second one leaves."""
        future = self.loop.submit(coroutine)
        try:
            return INTERRUPTS.result_of(future)
        except KeyboardInterrupt:
            self._stop()
        return INTERRUPTS.result_of(future)

    def _stop(self) -> None:
        self.screen.note("stopping…  (Ctrl-C again leaves)", fg="yellow")
        self.loop.submit(self.talk.stop_turn())


def _title_of(message: str) -> str:
    return one_line(message, 60)


def _piped_lines() -> Iterator[str]:
    while True:
        with INTERRUPTS.welcome():
            line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.rstrip("\n")


def _typed_lines(screen: "TerminalScreen") -> Iterator[str]:
    # The second Ctrl-C leaves, also where it comes while the first is being answered.
    with contextlib.suppress(KeyboardInterrupt):
        while (line := _typed_line(screen)) is not None:
            match line:
                case "":
                    pass
                case "/quit":
                    return
                case "/help":
                    screen.note(_HELP, dim=True)
                case _:
                    screen.expect(line)
                    yield line


def _typed_line(screen: "TerminalScreen") -> str | None:
    """None at the end of the input."""
    with contextlib.suppress(KeyboardInterrupt):
        return _read_line(screen)
    screen.note("Ctrl-C again, or Ctrl-D, leaves", dim=True)
    return _read_line(screen)


def _read_line(screen: "TerminalScreen") -> str | None:
    try:
        return screen.prompt().strip()
    except EOFError:
        return None
