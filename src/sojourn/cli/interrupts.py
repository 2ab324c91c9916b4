"""Ctrl-C where it is waited for, and nowhere else.

Python raises it between any two instructions of the main thread: what was just read of an answer would be lost, a lock
would stay taken that another thread waits for, or a chat would end that was only to stop one.
"""

import signal
import socket
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")


class Interrupts:
    """Of the process, whose main thread calls this."""

    def __init__(self) -> None:
        self._is_welcome = False
        self._has_come = False
        self._woken: socket.socket
        self._waker: socket.socket

    @contextmanager
    def held(self) -> Generator[None]:
        """Within, Ctrl-C is raised where it is welcome; one that comes at another moment waits for the next such."""
        self._woken, self._waker = socket.socketpair()
        with self._woken, self._waker:
            self._waker.setblocking(False)
            before = signal.signal(signal.SIGINT, self._hear)
            waker_before = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
            try:
                yield
            finally:
                signal.set_wakeup_fd(waker_before)
                signal.signal(signal.SIGINT, before)
                self._has_come = False

    @contextmanager
    def welcome(self) -> Generator[None]:
        """Raises KeyboardInterrupt within, at once for one that has waited. For what loses nothing by it."""
        # In this order: one that comes before the look is seen by it, one that comes behind it is raised.
        self._is_welcome = True
        try:
            self._raise_waiting()
            yield
        finally:
            self._is_welcome = False

    def result_of(self, future: Future[T]) -> T:
        """What another thread is at, while `held`. Raises KeyboardInterrupt, and can be asked for it again then.

        Nothing is raised within the future's own waiting: this one waits for a byte, which the end of the future sends
        and, from C, the signal. One that is sent before the wait begins is there for it, so neither is missed.
        """
        future.add_done_callback(self._wake)
        while not future.done():
            self._raise_waiting()
            self._woken.recv(4096)
        return future.result()

    def _wake(self, _future: Future[Any]) -> None:
        # A full socket wakes as well; a closed one has nobody to wake.
        with suppress(OSError):
            self._waker.send(b"\0")

    def _raise_waiting(self) -> None:
        if self._has_come:
            self._has_come = False
            raise KeyboardInterrupt

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_welcome:
            self._has_come = True
            return
        # Also where it is raised before the block that clears this has begun.
        self._is_welcome = False
        raise KeyboardInterrupt


INTERRUPTS: Final = Interrupts()
