"""Ctrl-C where it is waited for, and nowhere else.

Python raises it between any two instructions of the main thread: what was just read of an answer would be lost, or a
chat would end that was only to stop one.
"""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final


class Interrupts:
    """Of the process, whose main thread calls this."""

    def __init__(self) -> None:
        self._is_welcome = False
        self._has_come = False

    @contextmanager
    def held(self) -> Generator[None]:
        """Within, Ctrl-C is raised where it is welcome; one that comes at another moment waits for the next such."""
        before = signal.signal(signal.SIGINT, self._hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            self._has_come = False

    @contextmanager
    def welcome(self) -> Generator[None]:
        """Raises KeyboardInterrupt within, at once for one that has waited.

        It may come when the work within is done and its value not yet handed on: whoever needs that asks for it again.
        """
        # In this order: one that comes before the look is seen by it, one that comes behind it is raised.
        self._is_welcome = True
        try:
            if self._has_come:
                self._has_come = False
                raise KeyboardInterrupt
            yield
        finally:
            self._is_welcome = False

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_welcome:
            self._has_come = True
            return
        # Also where it is raised before the block that clears this has begun.
        self._is_welcome = False
        raise KeyboardInterrupt


INTERRUPTS: Final = Interrupts()
