"""`sojourn org`: the organisation of the key, and the policy that its new sessions begin with."""

from typing import TYPE_CHECKING, Final

import click

from sojourn.cli.connect import Reach, converse, reach_options
from sojourn.cli.screen import Trouble, console, print_json, printable

if TYPE_CHECKING:
    from sojourn.client import Client, Organisation
    from sojourn.client.org_types import OrganisationFields

_LIMITS: Final = (
    "idle_timeout_seconds",
    "max_lifetime_seconds",
    "max_turn_seconds",
    "max_start_seconds",
    "max_queued_seconds",
    "reopen",
    "retain_log_seconds",
    "retain_seconds",
)


@click.group("org")
def command() -> None:
    """Show the organisation of the key, and change its policy."""


@command.command("show")
@reach_options
def show(reach: Reach) -> None:
    """Show the organisation and the policy of its new sessions."""
    _print(reach, converse(reach.target(), lambda client: client.get_org()))


@command.command("policy")
@click.argument("changes", nargs=-1, required=True, metavar="NAME=VALUE...")
@reach_options
def policy(reach: Reach, changes: tuple[str, ...]) -> None:
    """Change the policy that new sessions begin with; `NAME=none` takes a limit away.

    NAME is idle_timeout_seconds, max_lifetime_seconds, max_turn_seconds, max_start_seconds, max_queued_seconds,
    retain_log_seconds, retain_seconds, or reopen, which is always, never or how many seconds after its end a session
    may be opened again.
    """
    wanted = dict(_limit(change) for change in changes)

    async def talk(client: "Client") -> "Organisation":
        import msgspec

        found = await client.get_org()
        fields: OrganisationFields = {"policy": msgspec.structs.replace(found.policy, **wanted)}
        return await client.update_org(if_revision=found.revision, **fields)

    _print(reach, converse(reach.target(), talk))


def _limit(change: str) -> tuple[str, str | float | None]:
    name, _, value = change.partition("=")
    if name not in _LIMITS:
        raise Trouble(f"There is no limit {name}.", f"one of {', '.join(_LIMITS)}")
    if value == "none":
        return name, None
    if name == "reopen" and value in {"always", "never"}:
        return name, value
    try:
        return name, float(value)
    except ValueError:
        raise Trouble(f"{value!r} is no number of seconds.", f"{name}=60, or {name}=none") from None


def _print(reach: Reach, org: "Organisation") -> None:
    if reach.as_json:
        print_json(org)
        return
    limits = [(name, getattr(org.policy, name)) for name in _LIMITS]
    rows = [
        ("id", str(org.id)),
        ("name", printable(org.name)),
        *((name, f"{value:g}" if isinstance(value, float) else value) for name, value in limits if value),
    ]
    for name, value in rows:
        console().print(f"{name:<22}{value}", markup=False, soft_wrap=True)
