"""A budget over an agent's program, on the database that several processes share."""

from decimal import Decimal
from pathlib import Path

from sojourn.domain.events import ToolCompleted, TurnFailed, UsageRecorded
from sojourn.service.asks import Verdict
from sojourn.service.budgets import NewBudget
from tests.runners.acp.stage import Stage, decide
from tests.support.clock import HandClock
from tests.support.databases import PostgresDatabase
from tests.support.world import SOMEBODY, open_world
from tests.worker.workplace import until


async def test_a_program_that_has_used_up_its_budget_is_not_asked_again(
    postgres: PostgresDatabase, clock: HandClock, tmp_path: Path
) -> None:
    async with open_world(postgres, clock) as world:
        stage = Stage(world, tmp_path / "programs")
        session = await stage.session()
        # The program reports seven a prompt.
        budget = NewBudget(currency="tokens", limit=Decimal(5), soft_limit=None)
        await world.services.budgets.create(world.org, session, budget, SOMEBODY)
        async with stage.working():
            await world.send(session, "ask a\nsay enough")
            await until(world, session, "turn.waiting")
            await decide(world, session, Verdict("allow"))
            await until(world, session, "turn.completed")
            await world.send(session, "say more")
            await until(world, session, "turn.failed")
        assert [one.reason for one in await world.said(session, TurnFailed)] == ["budget"]
        assert [one.usage.input_tokens for one in await world.said(session, UsageRecorded)] == [5]
        assert [one.status for one in await world.said(session, ToolCompleted)] == ["done"]
        assert stage.prompts(session) == [["ask a\nsay enough"]]
        assert await world.problems() == []
