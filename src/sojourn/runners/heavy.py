"""Libraries that take a second to import, which runners import in a thread on the first turn that needs them."""

from collections.abc import Callable
from threading import Lock
from typing import Final, TypeVar

T = TypeVar("T")

_ONE_AT_A_TIME: Final = Lock()


def imported(load: Callable[[], T]) -> T:
    """What `load` returns, which imports such a library. Blocks while another thread imports one.

    They make hundreds of classes by parsing code, and Python 3.11 counts the depth of a parse for all threads together:
    of two that parse at once one may be told, by a SystemError, that the count is off. So there is one at a time here;
    and as any other thread may parse something small just then, one that was told so is imported again: what was half
    imported is gone by then, so the second time is like the first.
    """
    with _ONE_AT_A_TIME:
        try:
            return load()
        except SystemError:
            return load()
