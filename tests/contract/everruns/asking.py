"""A session whose turn waits for what people say: the test is the worker that asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import NewAsk
from sojourn.domain.events import AskDecided
from sojourn.domain.ids import AgentId, AskId, SessionId, uuid7
from sojourn.domain.kinds import AskKind, Json
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.sessions import NewSession
from tests.contract.everruns.surface import Everruns, id_of
from tests.contract.everruns.waits import until


def an_ask(kind: AskKind, call: str, **prompt: Json) -> NewAsk:
    said: dict[str, Json] = {"tool_call_id": call, "name": "push", "arguments": {"to": "main"}}
    return NewAsk(id=AskId(uuid7()), kind=kind, prompt=said | prompt)


def a_question(call: str, *options: str) -> NewAsk:
    return an_ask("question", call, name="ask_user", question="Which colour?", options=list(options))


@dataclass(frozen=True)
class Asking:
    everruns: Everruns
    agent: AgentId
    session: SessionId

    @property
    def path(self) -> str:
        return f"/sessions/{id_of('session', self.session)}"

    @property
    def channel(self) -> str:
        return f"/channels/{id_of('apichan', self.agent)}{self.path}"

    async def decided(self) -> list[tuple[str, Json]]:
        """What the log says was decided, in order."""
        feed = self.everruns.services.feed
        found: list[tuple[str, Json]] = []
        for stored in await feed.page(self.everruns.org, self.session, 0, 1_000, ("ask.decided",)):
            event = (await feed.read(stored)).event
            assert isinstance(event, AskDecided)
            found.append((event.decision, event.answer))
        return found


async def sent(everruns: Everruns) -> Asking:
    """A turn that waits for its worker, which is the test: nobody else takes turns of this runner."""
    name = f"asker-{uuid7().hex[-12:]}"
    spec = AgentSpec(name=name, runner="external")
    agent = (await everruns.services.agents.create(everruns.org, spec)).value
    session = await everruns.native(NewSession(agent=name))
    await everruns.send(session, "hello")
    return Asking(everruns, agent.id, session)


async def claimed(everruns: Everruns, session: SessionId) -> ClaimedTurn:
    turn = await everruns.services.turns.claim(Ready(everruns.org, session), "tester", ("external",))
    assert turn is not None
    return turn


async def asking(everruns: Everruns, *asks: NewAsk) -> Asking:
    """A turn that is parked with these asks."""
    it = await sent(everruns)
    await park(everruns, it.session, asks)
    return it


async def park(everruns: Everruns, session: SessionId, asks: Sequence[NewAsk]) -> None:
    turn = await claimed(everruns, session)
    await everruns.services.turns.wait(turn, (), asks, "parked")
    await until(everruns, session, "turn.waiting")
