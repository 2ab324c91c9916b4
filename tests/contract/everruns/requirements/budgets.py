"""Budgets and their ledgers."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OURS, SERVER
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement("budget.create", CLIENT, "A budget is made with a limit and has all of it left: 201."),
    Requirement(
        "budget.subject",
        CLIENT,
        "A budget is of a session, an agent, a user or an organisation.",
        "It is of a session; another subject is 400 with a code of its own.",
    ),
    Requirement(
        "budget.period",
        CLIENT,
        "A budget may be renewed each period.",
        "A period is 400 with a code of its own: nothing renews budgets here.",
    ),
    Requirement(
        "budget.amounts", OURS, "Amounts are positive numbers, kept to twelve places as they were written."
    ),
    Requirement("budget.list", CLIENT, "Lists are bare arrays: of one session, or of all."),
    Requirement(
        "budget.change", CLIENT, "A PATCH changes what it names; a soft limit of null is taken away."
    ),
    Requirement("budget.delete", CLIENT, "DELETE disables: 204; the budget is still read."),
    Requirement("budget.top-up", CLIENT, "A top-up adds to the balance and is in the ledger."),
    Requirement(
        "budget.ledger",
        CLIENT,
        "The ledger is a bare array in pages, the newest first, and says what was metered.",
    ),
    Requirement(
        "budget.check",
        CLIENT,
        "A check says whether the next model call may be made, and which budget says so.",
    ),
    Requirement("budget.resume", CLIENT, "Resuming says how many budgets were paused."),
    Requirement(
        "budget.paused",
        SERVER,
        "A session above a soft limit is paused.",
        "The client refuses that status, so it is shown as idle with the activity paused, and selected by that.",
    ),
    Requirement("budget.stops", SERVER, "An exhausted budget seals the turn, and events tell of each step."),
    Requirement("budget.repeat", OURS, "A POST with an Idempotency-Key can be repeated."),
    Requirement("budget.org", OURS, "Another organisation's budget is not found, by any verb."),
    Requirement(
        "budget.client", CLIENT, "The shipped client makes, reads, tops up, checks and deletes budgets."
    ),
)
