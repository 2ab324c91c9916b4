"""Values of the domain, each whole and sound; a test names what it cares about."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sojourn.domain.actor import Actor
from sojourn.domain.ask import Ask
from sojourn.domain.budget import Budget
from sojourn.domain.commands import ReceiveInput
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.events import (
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    SessionCreated,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
)
from sojourn.domain.ids import (
    DEFAULT_ORG,
    AgentId,
    AskId,
    BudgetId,
    InputId,
    MessageId,
    SessionId,
    TurnId,
    uuid7,
)
from sojourn.domain.kinds import Delivery
from sojourn.domain.session import Session
from sojourn.domain.turn import Turn, TurnStatus
from tests.support.clock import START
from tests.support.model import Model

SOMEBODY = Actor("human")


def a_session(**changes: Any) -> Session:
    base = Session(
        org=DEFAULT_ORG,
        id=SessionId(uuid7()),
        agent=AgentId(uuid7()),
        agent_version=1,
        runner="model",
        created_at=START,
        opened_at=START,
        active_at=START,
        updated_at=START,
        next_seq=2,
    )
    return replace(base, **changes)


def a_turn(**changes: Any) -> Turn:
    base = Turn(
        id=TurnId(uuid7()),
        input=InputId(uuid7()),
        runner="model",
        status=TurnStatus.QUEUED,
        first_seq=3,
        created_at=START,
    )
    return replace(base, **changes)


def an_ask(turn: TurnId, **changes: Any) -> Ask:
    base = Ask(id=AskId(uuid7()), turn=turn, kind="approval", prompt={}, created_at=START)
    return replace(base, **changes)


def a_budget(limit: str = "10", **changes: Any) -> Budget:
    base = Budget(
        id=BudgetId(uuid7()),
        session=SessionId(uuid7()),
        currency="tokens",
        limit=Decimal(limit),
        balance=Decimal(limit),
        created_at=START,
        updated_at=START,
    )
    return replace(base, **changes)


def a_model(**changes: Any) -> Model:
    """A new session."""
    model = Model(a_session(**changes))
    session = model.session
    model.begin(SessionCreated(agent=session.agent, agent_version=1, origin="native"))
    return model


def a_message(text: str = "hello", delivery: Delivery = "queue", by: Actor = SOMEBODY) -> ReceiveInput:
    return ReceiveInput(
        input=InputId(uuid7()),
        turn=TurnId(uuid7()),
        kind="message",
        delivery=delivery,
        content=(TextPart(text),),
        by=by,
    )


def called(call: int = 1) -> ModelCalled:
    return ModelCalled(call=call, model="sim/echo", message=MessageId(uuid7()))


def answered(called: ModelCalled, text: str = "hi") -> tuple[MessageCompleted, ModelCompleted]:
    return (
        MessageCompleted(message=called.message, call=called.call, text=text),
        ModelCompleted(
            call=called.call, model=called.model, provider="sim", usage=Usage(1, 2), finish_reason="stop"
        ),
    )


def requested(call: int = 1, index: int = 0, name: str = "clock") -> ToolRequested:
    return ToolRequested(call=call, index=index, id=f"t{call}.{index}", name=name, arguments="{}")


def started(tool: ToolRequested) -> ToolStarted:
    return ToolStarted(call=tool.call, index=tool.index)


def done(tool: ToolRequested, output: str = "noon") -> ToolCompleted:
    return ToolCompleted(
        call=tool.call, index=tool.index, id=tool.id, name=tool.name, status="done", output=output
    )
