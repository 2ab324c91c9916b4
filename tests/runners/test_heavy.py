import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sojourn.runners.heavy import imported

BOUND_SECONDS = 20


def test_two_threads_import_one_after_the_other() -> None:
    begun, may_end = threading.Event(), threading.Event()
    seen: list[str] = []

    def slow() -> None:
        seen.append("first begins")
        begun.set()
        assert may_end.wait(BOUND_SECONDS)
        seen.append("first ends")

    def second() -> None:
        seen.append("second begins")

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(imported, slow)
        assert begun.wait(BOUND_SECONDS)
        other = threads.submit(imported, second)
        with pytest.raises(TimeoutError):
            other.result(0.05)
        may_end.set()
        one.result(BOUND_SECONDS)
        other.result(BOUND_SECONDS)
    assert seen == ["first begins", "first ends", "second begins"]


def test_an_import_that_another_parse_has_spoilt_is_done_again() -> None:
    tries: list[int] = []

    def spoilt_once() -> str:
        tries.append(len(tries))
        if len(tries) == 1:
            raise SystemError("AST constructor recursion depth mismatch (before=99, after=65)")
        return "imported"

    assert imported(spoilt_once) == "imported"
    assert len(tries) == 2


def test_a_library_that_is_not_there_is_not_asked_for_again() -> None:
    tries: list[int] = []

    def missing() -> None:
        tries.append(1)
        raise ImportError

    with pytest.raises(ImportError):
        imported(missing)
    assert len(tries) == 1
    # And the next one is not kept waiting.
    assert imported(lambda: "imported") == "imported"
