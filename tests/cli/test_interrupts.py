"""Ctrl-C is raised where it is waited for, whenever it comes."""

import os
import signal
import threading
from concurrent.futures import Future

import pytest

from sojourn.cli.interrupts import Interrupts


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def press_from_elsewhere() -> None:
    """As a terminal does."""
    os.kill(os.getpid(), signal.SIGINT)


def test_one_that_comes_elsewhere_waits_for_where_it_is_welcome_and_is_raised_once() -> None:
    interrupts = Interrupts()
    with interrupts.held():
        press()
        press()
        with pytest.raises(KeyboardInterrupt), interrupts.welcome():
            raise AssertionError("it came before this")
        with interrupts.welcome():
            pass
        with pytest.raises(KeyboardInterrupt), interrupts.welcome():
            press()


def test_the_process_hears_it_as_before_when_it_is_held_no_more() -> None:
    interrupts = Interrupts()
    with interrupts.held():
        press()
    with pytest.raises(KeyboardInterrupt):
        press()
    with interrupts.held(), interrupts.welcome():
        pass


def test_who_waits_for_another_thread_hears_it_and_may_wait_again() -> None:
    interrupts, future = Interrupts(), Future[str]()
    with interrupts.held():
        threading.Thread(target=press_from_elsewhere).start()
        with pytest.raises(KeyboardInterrupt):
            interrupts.result_of(future)
        threading.Thread(target=future.set_result, args=("done",)).start()
        assert interrupts.result_of(future) == "done"
        press()
        assert interrupts.result_of(future) == "done"
        with pytest.raises(KeyboardInterrupt):
            interrupts.result_of(Future[str]())


def test_one_that_comes_again_and_again_at_any_moment_is_missed_by_nobody_who_waits() -> None:
    interrupts, future = Interrupts(), Future[str]()
    with interrupts.held():
        for _ in range(500):
            threading.Thread(target=press_from_elsewhere).start()
            with pytest.raises(KeyboardInterrupt):
                interrupts.result_of(future)
        future.set_result("done")
        assert interrupts.result_of(future) == "done"
