"""Which server a command talks to and with which key, and what is said when that does not work."""

import asyncio
import os
import shlex
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, Literal, ParamSpec, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import click

from sojourn.cli import home
from sojourn.cli.screen import Trouble

if TYPE_CHECKING:
    from sojourn.client import Client, SojournError

P = ParamSpec("P")
T = TypeVar("T")

SessionName = UUID | Literal["last"]

# A command that somebody waits for says soon that nobody is there.
_GIVE_UP_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Target:
    """`key_source` says where the key was found, for the message when it is refused."""

    url: str
    key: str
    key_source: str


@dataclass(slots=True)
class Reach:
    """What the command line says of the server to talk to, and of the shape of what is printed."""

    url: str | None = None
    key: str | None = None
    data_dir: Path | None = None
    as_json: bool = False

    def again(self) -> str:
        """The options that make another command reach the same server, for a line to copy."""
        options = [f" --url {shlex.quote(self.url)}"] if self.url else []
        options += [f" --data-dir {shlex.quote(str(self.data_dir))}"] if self.data_dir else []
        return "".join(options)

    def target(self) -> Target:
        """Trouble if there is no key to be found."""
        place = home.find(self.data_dir)
        url = self.url or os.environ.get("SOJOURN_URL") or place.read_url() or place.default_url
        candidates = (
            (self.key, "--key"),
            (os.environ.get("SOJOURN_KEY"), "SOJOURN_KEY"),
            (os.environ.get("SOJOURN_BOOTSTRAP_KEY"), "SOJOURN_BOOTSTRAP_KEY"),
            (place.read_key(), str(place.key_path)),
        )
        for key, source in candidates:
            if key:
                return _checked(Target(url, key, source))
        raise Trouble(
            f"There is no key to talk to {url} with.",
            f"export SOJOURN_KEY=…   (a server that was started here leaves one in {place.key_path})",
        )


def _checked(target: Target) -> Target:
    """Trouble where no request could be made of it."""
    try:
        parts = urlsplit(target.url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise Trouble(f"{target.url!r} is no address of a server.", "--url http://127.0.0.1:3013")
    if not (target.key.isascii() and target.key.isprintable()):
        raise Trouble(f"What {target.key_source} holds is no key.")
    return target


_pass_reach = click.make_pass_decorator(Reach, ensure=True)


def _note(ctx: click.Context, param: click.Parameter, value: object) -> None:
    setattr(ctx.ensure_object(Reach), param.name, value)


def reach_options(function: Callable[Concatenate[Reach, P], None]) -> Callable[P, None]:
    """The options that every command which talks to a server has; it gets them as its first argument."""
    path = click.Path(path_type=Path)
    decorated: Callable[P, None] = _pass_reach(function)
    for option in (
        _option("--json", "as_json", is_flag=True, help="Print JSON, one object a line."),
        _option("--data-dir", type=path, help="Where the local server keeps its data."),
        _option("--key", help="Your key.  [env: SOJOURN_KEY; otherwise the local server's]"),
        _option("--url", help="The server.  [env: SOJOURN_URL; otherwise the local one]"),
    ):
        decorated = option(decorated)
    return decorated


_option = partial(click.option, expose_value=False, callback=_note)


def converse(target: Target, talk: "Callable[[Client], Coroutine[Any, Any, T]]") -> T:
    """Run one conversation with the server; what a client raises becomes Trouble."""
    from sojourn.client import Client, SojournError

    async def run() -> T:
        async with Client(target.url, target.key, give_up_after_seconds=_GIVE_UP_SECONDS) as client:
            return await talk(client)

    try:
        return asyncio.run(run())
    except SojournError as error:
        raise as_trouble(error, target) from error


def as_trouble(error: "SojournError", target: Target) -> Trouble:
    from sojourn.client import ApiError, ServerUnreachable, Unauthenticated

    match error:
        case ServerUnreachable():
            return Trouble(
                f"No Sojourn server answers at {error.url} ({error.cause}).",
                "sojourn serve   (or name another server with --url or SOJOURN_URL)",
            )
        case Unauthenticated():
            return Trouble(
                f"{target.url} does not accept the key from {target.key_source}.",
                "export SOJOURN_KEY=…   (the key that `sojourn serve` printed at its first start)",
            )
        case ApiError(request_id=str(request_id)) if error.status >= 500:
            return Trouble(f"{error.detail} (request {request_id})")
        case _:
            return Trouble(str(error))


class SessionArgument(click.ParamType[SessionName]):
    """A session's id, or `last` for the one that was created last."""

    name = "session"

    def convert(
        self, value: str | UUID, param: click.Parameter | None, ctx: click.Context | None
    ) -> SessionName:
        if isinstance(value, UUID):
            return value
        if value == "last":
            return "last"
        try:
            return UUID(value)
        except ValueError:
            self.fail(
                f"{value!r} is no session id. `sojourn sessions` lists them; `last` is the newest.",
                param,
                ctx,
            )


async def resolve(client: "Client", session: SessionName) -> UUID:
    """The id of the session that was named."""
    if session != "last":
        return session
    page = await client.sessions_page(limit=1)
    if not page.data:
        raise Trouble("There is no session yet.", "sojourn chat")
    return page.data[0].id
