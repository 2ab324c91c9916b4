"""uvicorn, with the two things that it leaves to us: what a signal does, and how streams end."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from typing import Final

import uvicorn

from sojourn.service.core import Services
from sojourn.web.app import App, build_app
from sojourn.web.kit.body import BODY_LIMIT
from sojourn.web.server import Protocol

_GRACE_SECONDS: Final = 10
# Longer than the idle time of the usual load balancers, so that they and not we close a quiet connection: a request
# that meets a closing one is lost.
_KEEP_ALIVE_SECONDS: Final = 75


class _Server(uvicorn.Server):
    def __init__(self, app: App, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=Protocol,
                ws="none",
                lifespan="off",
                # Nothing here asks for the client's address or for the scheme, and looking costs every request.
                proxy_headers=False,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._app = app
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn's own raises the signal again when it is done, which ends the process before its turns are given
        # back and its store is closed.
        loop = asyncio.get_running_loop()
        handled = (signal.SIGINT, signal.SIGTERM)
        for number in handled:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield
        for number in handled:
            loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.close_streams()
        await super().shutdown(sockets)


async def run_server(
    services: Services,
    listener: socket.socket,
    on_started: Callable[[], None],
    max_body_bytes: int = BODY_LIMIT,
) -> None:
    """Answer requests until SIGINT or SIGTERM, then end every stream and finish every request."""
    await _Server(build_app(services, max_body_bytes), on_started).serve([listener])
