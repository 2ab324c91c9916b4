"""Ctrl-C is raised where it is waited for, whenever it comes."""

import signal

import pytest

from sojourn.cli.interrupts import Interrupts


def press() -> None:
    signal.raise_signal(signal.SIGINT)


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
