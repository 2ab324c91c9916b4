"""`sojourn budgets`: what sessions may use up, and how one that waits for a budget goes on."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, get_args
from uuid import UUID

import click

from sojourn.cli.connect import Reach, SessionArgument, SessionName, converse, reach_options, resolve
from sojourn.cli.groups import ListingGroup
from sojourn.cli.screen import ago, console, listing, print_json
from sojourn.domain.budget_events import Currency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sojourn.client import Budget, BudgetEntry, Client


class _Amount(click.ParamType[Decimal]):
    """More than 0; what else the server asks of it, it says."""

    name = "amount"

    def convert(
        self, value: str | Decimal, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal(0)
        if not amount.is_finite() or amount <= 0:
            self.fail(f"{value!r} is no number above 0.", param, ctx)
        return amount


@click.group("budgets", cls=ListingGroup)
def command() -> None:
    """What a session may use up, it and those that it starts. Without a word more, it lists that."""


@command.command("ls")
@click.argument("session", type=SessionArgument(), default="last")
@reach_options
def ls(reach: Reach, session: SessionName) -> None:
    """List the budgets of SESSION, an id or `last`."""

    async def talk(client: "Client") -> list["Budget"]:
        return [budget async for budget in client.list_budgets(await resolve(client, session))]

    budgets = converse(reach.target(), talk)
    if reach.as_json:
        print_json(*budgets)
    elif budgets:
        _print_table(budgets)
    else:
        console(stderr=True).print("[dim]No budgets.")


@command.command("add")
@click.argument("session", type=SessionArgument())
@click.argument("limit", type=_Amount())
@click.argument("currency", type=click.Choice(get_args(Currency)))
@click.option("--soft", type=_Amount(), help="The amount used above which the session waits to be resumed.")
@reach_options
def add(reach: Reach, session: SessionName, limit: Decimal, currency: Currency, soft: Decimal | None) -> None:
    """Let SESSION, an id or `last`, use up no more than LIMIT of a CURRENCY."""

    async def talk(client: "Client") -> "Budget":
        found = await resolve(client, session)
        return await client.create_budget(found, currency=currency, limit=limit, soft_limit=soft)

    _tell(reach, "added", converse(reach.target(), talk))


_budget_argument = click.argument("budget", type=click.UUID)


@command.command("raise")
@_budget_argument
@click.argument("limit", type=_Amount())
@reach_options
def raise_limit(reach: Reach, budget: UUID, limit: Decimal) -> None:
    """Set the limit of BUDGET; where it is higher than before, what waits for the budget goes on."""

    async def talk(client: "Client") -> "Budget":
        return await client.update_budget(budget, limit=limit)

    _tell(reach, "limited", converse(reach.target(), talk))


@command.command("top-up")
@_budget_argument
@click.argument("amount", type=_Amount())
@click.option("--description", help="What for: the ledger has it.")
@reach_options
def top_up(reach: Reach, budget: UUID, amount: Decimal, description: str | None) -> None:
    """Give BUDGET more; what waits for it goes on."""

    async def talk(client: "Client") -> "Budget":
        return await client.top_up_budget(budget, amount, description)

    _tell(reach, "topped up", converse(reach.target(), talk))


@command.command("resume")
@click.argument("session", type=SessionArgument(), default="last")
@reach_options
def resume(reach: Reach, session: SessionName) -> None:
    """Let SESSION, an id or `last`, go on beyond its soft limits, up to its limits."""

    async def talk(client: "Client") -> int:
        return await client.resume_session(await resolve(client, session))

    resumed = converse(reach.target(), talk)
    if reach.as_json:
        print_json({"resumed": resumed})
    else:
        console().print(f"{resumed} paused budget{'' if resumed == 1 else 's'} resumed", markup=False)


@command.command("rm")
@_budget_argument
@reach_options
def rm(reach: Reach, budget: UUID) -> None:
    """Disable BUDGET: it stops nothing any more, and its ledger stays."""

    async def talk(client: "Client") -> "Budget":
        await client.disable_budget(budget)
        return await client.get_budget(budget)

    _tell(reach, "disabled", converse(reach.target(), talk))


@command.command("ledger")
@_budget_argument
@reach_options
def ledger(reach: Reach, budget: UUID) -> None:
    """Print what was charged to BUDGET, and its top-ups."""

    async def talk(client: "Client") -> list["BudgetEntry"]:
        return [entry async for entry in client.list_budget_entries(budget)]

    entries = converse(reach.target(), talk)
    if reach.as_json:
        print_json(*entries)
    elif entries:
        _print_ledger(entries)
    else:
        console(stderr=True).print("[dim]Nothing was charged.")


def _tell(reach: Reach, done: str, budget: "Budget") -> None:
    if reach.as_json:
        print_json(budget)
    else:
        console().print(done, f"{budget.id}:", f"{_left(budget)} ({budget.status})", markup=False)


def _left(budget: "Budget") -> str:
    return f"{budget.balance:f} of {budget.limit:f} {budget.currency} left"


def _print_table(budgets: "Sequence[Budget]") -> None:

    table = listing()
    table.add_column("budget", no_wrap=True, min_width=36)
    table.add_column("is", no_wrap=True)
    table.add_column("left", no_wrap=True)
    table.add_column("waits above", no_wrap=True, justify="right")
    for budget in budgets:
        soft = "-" if budget.soft_limit is None else f"{budget.soft_limit:f}"
        table.add_row(str(budget.id), budget.status, _left(budget), soft)
    console().print(table)


def _print_ledger(entries: "Sequence[BudgetEntry]") -> None:
    from rich.text import Text

    table = listing()
    table.add_column("amount", no_wrap=True, justify="right")
    table.add_column("for", no_wrap=True)
    table.add_column("ago", no_wrap=True, justify="right")
    table.add_column("session", no_wrap=True, min_width=36)
    table.add_column("what", no_wrap=True, overflow="ellipsis")
    for entry in entries:
        amount = "unknown" if entry.amount is None else f"{entry.amount:f}"
        what = Text(entry.description or "")
        table.add_row(amount, entry.source, ago(entry.at), str(entry.session), what)
    console().print(table)
