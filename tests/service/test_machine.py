"""After any commands, in any order, a real store and plain values hold the same.

Hypothesis draws the commands and, when something differs, finds the shortest story that shows it.
"""

import asyncio
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from sojourn.store.where import Dialect
from tests.service.machine import SessionMachine
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import open_world

EXAMPLES: dict[Dialect, int] = {"sqlite": 25, "postgres": 10}


@pytest.mark.timeout(300)
def test_a_store_and_plain_values_agree_after_any_commands(database: Database) -> None:
    with asyncio.Runner() as runner:
        opening = open_world(database, HandClock())
        world = runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                cast(type[SessionMachine], lambda: SessionMachine(world, runner)),
                settings=settings(
                    max_examples=EXAMPLES[database.dialect],
                    stateful_step_count=40,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
