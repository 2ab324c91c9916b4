"""A process that has imported the program, and forks itself for every start of it.

Run as a script with the number of a socket, on which orders come: a JSON object, and with it the descriptors of the
new process's input, output and errors, and of a pipe for its status. The answer is the process's number.
"""

import contextlib
import gc
import io
import json
import os
import selectors
import signal
import socket
import sys
from importlib import import_module
from types import FrameType
from typing import Any, Final

from sojourn.cli import main as program
from sojourn.store.db import load_sqlite

MOST_BYTES: Final = 1 << 20
# What `serve` and the commands that ask a server import by the time that they work. Not readline, which looks at the
# terminal as it is imported.
_PROGRAM: Final = (
    "httptools",
    "rich.console",
    "rich.table",
    "sojourn.cli.server",
    "sojourn.client",
    "sojourn.store.sqlite",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)


class Nursery:
    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        # By its number, the pipe on which the end of a process is told.
        self._living: dict[int, int] = {}
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker)
        # Only a signal that is handled wakes.
        signal.signal(signal.SIGCHLD, _nothing)
        # Ctrl-C in a terminal is for the tests, which end this process by closing its socket.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> dict[str, Any] | None:
        """Returns the order in the process that is to carry it out, and nothing at the end of the tests."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._orders, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if self._woken in ready:
                    os.read(self._woken, 4096)
                    self._reap()
                if self._orders.fileno() in ready:
                    data, descriptors, _, _ = socket.recv_fds(self._orders, MOST_BYTES, 4)
                    if not data:
                        return None
                    order = json.loads(data)
                    if self._fork(order, descriptors):
                        return order

    def _fork(self, order: dict[str, Any], descriptors: list[int]) -> bool:
        """Whether this is the new process."""
        *standard, status = descriptors
        pid = os.fork()
        if pid == 0:
            self._become(order, standard, status)
            return True
        self._living[pid] = status
        for descriptor in standard:
            os.close(descriptor)
        self._orders.sendall(str(pid).encode())
        return False

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitpid(-1, os.WNOHANG):
                pid, status = ended
                if pid == 0:
                    return
                told = self._living.pop(pid)
                # Whoever asked for it may have gone without waiting.
                with contextlib.suppress(BrokenPipeError):
                    os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(told)

    def _become(self, order: dict[str, Any], standard: list[int], status: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in (self._woken, self._waker, status, *self._living.values()):
            os.close(descriptor)
        self._orders.close()
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(order["environment"])
        if order["directory"] is not None:
            os.chdir(order["directory"])
        # Those that are there were made for the descriptors of before, and so buffer as suits these.
        sys.stdin = io.TextIOWrapper(io.FileIO(0, "r", closefd=False), encoding="utf-8")
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8")
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), encoding="utf-8", line_buffering=True)


def _nothing(number: int, frame: FrameType | None) -> None:
    """What is to be done is done by the loop."""


def _imported() -> None:
    for name in _PROGRAM:
        import_module(name)
    load_sqlite()


def main() -> None:
    _imported()
    # A collection in a new process would write to every object, and so copy all that it shares with this one.
    gc.collect()
    gc.freeze()
    order = Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
    if order is not None:
        sys.argv = ["sojourn", *order["arguments"]]
        try:
            program()
        except SystemExit as left:
            sys.stdout.flush()
            sys.stderr.flush()
            # To take everything that was imported apart again takes twice as long as most commands.
            if isinstance(left.code, int | None):
                os._exit(left.code or 0)
            raise


if __name__ == "__main__":
    main()
