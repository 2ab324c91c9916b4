"""Two ways to show a chat to something else than a person: plain text for a pipe, JSON for a program."""

import click

from sojourn.cli.entries import asked, content_text, summary, waits_for_budget
from sojourn.cli.screen import one_line, print_json, printable
from sojourn.client import AnswerPart, Event, MessageEnded, TurnAsked, TurnClosed


class JsonScreen:
    """Every entry of the log, one JSON object a line."""

    def event(self, event: Event) -> None:
        print_json(event)

    def part(self, part: AnswerPart) -> None:
        del part

    def note(self, text: str, fg: str | None = None, dim: bool = False) -> None:
        click.echo(text, err=True)


class PipeScreen:
    """Committed messages only: what is written to a pipe cannot be taken back. The rest goes to standard error."""

    def __init__(self, *, shows_inputs: bool = False) -> None:
        self._shows_inputs = shows_inputs

    def event(self, event: Event) -> None:
        if self._shows_inputs and event.type == "input.received":
            click.echo(f"> {printable(content_text(event.data))}")
        if (line := budget_line(event)) is not None:
            click.echo(line, err=True)

    def part(self, part: AnswerPart) -> None:
        match part:
            # A message that only calls tools says nothing.
            case MessageEnded(text=text) if text:
                click.echo(printable(text))
            case TurnAsked():
                click.echo(asking_line(part), err=True)
            case TurnClosed(status="completed"):
                pass
            case TurnClosed():
                click.echo(closing_line(part), err=True)
            case _:
                pass

    def note(self, text: str, fg: str | None = None, dim: bool = False) -> None:
        click.echo(text, err=True)


def asking_line(asked_for: TurnAsked) -> str:
    """Who is waited for, and under which id it is decided."""
    return f"waiting for {one_line(asked(asked_for.kind, asked_for.prompt), 200)}  (ask {asked_for.ask})"


def budget_line(event: Event) -> str | None:
    """What there is to say of budgets: that one runs low, or is waited for, and what to do about it."""
    if waits_for_budget(event):
        return "waiting for a budget that has reached its soft limit; to go on: sojourn budgets resume"
    if event.type == "budget.warned":
        return f"a budget runs low: {summary(event)}"
    return None


def closing_line(closed: TurnClosed) -> str:
    return f"the turn {'was ' if closed.status == 'cancelled' else ''}{closed.status}: {closed.error or closed.reason}"
