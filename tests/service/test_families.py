"""After any acts on a tree of sessions, in any order, nobody waits for nobody, and every session is sound."""

import asyncio
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from sojourn.store.where import Dialect
from tests.service.families import FamilyMachine
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import open_world

EXAMPLES: dict[Dialect, int] = {"sqlite": 12, "postgres": 4}


@pytest.mark.timeout(300)
def test_a_tree_of_sessions_comes_to_rest_whatever_was_done_to_it(database: Database) -> None:
    with asyncio.Runner() as runner:
        opening = open_world(database, HandClock())
        world = runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                cast(type[FamilyMachine], lambda: FamilyMachine(world, runner)),
                settings=settings(
                    max_examples=EXAMPLES[database.dialect],
                    stateful_step_count=25,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
