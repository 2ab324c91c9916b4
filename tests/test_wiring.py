"""The parts that only a running process has."""

import time

import pytest

from sojourn.wiring import SteadyClock


def test_time_goes_on_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteadyClock()
    # The monotonic clock of a suspended Linux machine stands still.
    asleep = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: asleep)
    first = clock.now()
    assert any(clock.now() > first for _ in range(100_000))
