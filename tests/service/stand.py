"""How a session comes to stand at each row of the table of deliveries, with an ask where a turn of it has one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sojourn.domain.ask import NewAsk
from sojourn.domain.delivery import Standing
from sojourn.domain.ids import AskId, SessionId, uuid7
from sojourn.domain.kinds import AskKind
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.asks import Verdict
from sojourn.service.budgets import BudgetChange
from sojourn.service.sessions import NewSession
from tests.service.test_budgets import limit
from tests.support import reach
from tests.support.world import SOMEBODY, World

WaitMode = Literal["held", "parked"]


@dataclass(frozen=True)
class Scene:
    """A session, and an ask of it: open where one can be, else one of a turn that is over."""

    world: World
    session: SessionId
    ask: AskId
    ask_kind: AskKind

    async def claim(self) -> ClaimedTurn:
        await self.world.send(self.session)
        return await self.world.claim(self.session)

    async def wait(self, how: WaitMode) -> ClaimedTurn:
        turn = await self.claim()
        # The first word of what was spawned.
        await self.world.services.turns.append(turn, [])
        prompt = {"tool_call_id": "c", "name": "tool", "arguments": "{}"}
        ask = NewAsk(id=self.ask, kind=self.ask_kind, prompt=prompt)
        await self.world.services.turns.wait(turn, [], [ask], how)
        return turn

    async def lose(self) -> None:
        """A held wait whose worker is gone: the turn is to be retried, and its ask stays open."""
        await self.world.services.turns.give_back(await self.wait("held"))

    async def ask_in_vain(self) -> None:
        turn = await self.wait("parked")
        await self.world.services.turns.cancel(self.world.org, self.session, turn.turn, SOMEBODY)


async def idle(scene: Scene) -> None:
    await scene.ask_in_vain()


async def driven(scene: Scene) -> None:
    await scene.ask_in_vain()
    await reach.drive(scene.world, scene.session)


async def queued(scene: Scene) -> None:
    await scene.ask_in_vain()
    await reach.queue(scene.world, scene.session)


async def resumed(scene: Scene) -> None:
    await scene.wait("parked")
    verdict = Verdict("answer" if scene.ask_kind == "client_tool" else "allow")
    world = scene.world
    await world.services.asks.decide(world.org, scene.session, scene.ask, verdict, SOMEBODY)


async def at_work(scene: Scene) -> None:
    """Busy, or for a runner that spawns something still starting."""
    await scene.lose()
    await scene.world.claim(scene.session)


async def retrying(scene: Scene) -> None:
    await scene.lose()


async def held(scene: Scene) -> None:
    await scene.wait("held")


async def parked(scene: Scene) -> None:
    await scene.wait("parked")


async def paused(scene: Scene) -> None:
    await scene.ask_in_vain()
    world, session = scene.world, scene.session
    budget = await limit(world, session, 100)
    await world.services.budgets.change(world.org, budget.id, BudgetChange(status="paused"), SOMEBODY)
    await world.send(session)
    assert await world.services.turns.claim(Ready(world.org, session), "worker", ("model",)) is None


async def ended(scene: Scene) -> None:
    await scene.ask_in_vain()
    await reach.end("completed")(scene.world, scene.session)


async def archived(scene: Scene) -> None:
    """What is open in it stays open."""
    await scene.wait("parked")
    await scene.world.services.sessions.archive(scene.world.org, scene.session, True, SOMEBODY)


WAYS: Final[Mapping[Standing, Callable[[Scene], Awaitable[None]]]] = {
    Standing.IDLE: idle,
    Standing.DRIVEN: driven,
    Standing.QUEUED: queued,
    Standing.RESUMED: resumed,
    Standing.STARTING: at_work,
    Standing.BUSY: at_work,
    Standing.RETRYING: retrying,
    Standing.HELD: held,
    Standing.PARKED: parked,
    Standing.PAUSED: paused,
    Standing.ENDED: ended,
    Standing.ARCHIVED: archived,
}


async def stand(world: World, at: Standing, ask_kind: AskKind) -> Scene:
    agent = "spawning" if at is Standing.STARTING else "default"
    session = await world.new_session(NewSession(agent=agent))
    scene = Scene(world, session, AskId(uuid7()), ask_kind)
    await WAYS[at](scene)
    return scene
