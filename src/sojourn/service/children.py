"""Children: sessions that a turn of another has started, and waits for. What one is to do to the other is an errand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sojourn.domain.actor import POLICY, Actor
from sojourn.domain.agent import Agent
from sojourn.domain.ask import Ask
from sojourn.domain.commands import DecideAsk, EndSession, ReleaseChild
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.draft import State
from sojourn.domain.errand import AnswerParent, EndChildren, Errand, StartChild, StopChild
from sojourn.domain.errors import AlreadyExists, InvalidRequest
from sojourn.domain.events import MessageCompleted, ModelCompleted, UsageRecorded
from sojourn.domain.ids import OrgId, SessionId, TurnId
from sojourn.domain.kin import MAX_CHILDREN, MAX_DEPTH, Kin
from sojourn.domain.kinds import Json
from sojourn.domain.kinship import answer, wanted
from sojourn.domain.log import NewEvent
from sojourn.domain.queue import MAX_QUEUED
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Session, SessionStatus
from sojourn.ports import Clock, Store, Tx
from sojourn.service.agents import Agents
from sojourn.service.hub import Hub
from sojourn.service.paging import read_page
from sojourn.service.sessions import NewSession, Sessions
from sojourn.service.trees import children_of
from sojourn.service.verbs import PAGE, carry_out, stopped, usage_of

AGENT: Final = Actor("agent")
ORIGIN: Final = "agent"
# Characters of a child's answer that its parent is told; the whole of it stands in the child's log.
MAX_TEXT: Final = 100_000

_SAID: Final = (MessageCompleted.type, ModelCompleted.type, UsageRecorded.type)


class Refused(Exception):
    """A session that will not be started; the first argument says why."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What the turn of a child came to."""

    text: str
    usage: Usage


class Children:
    def __init__(self, store: Store, clock: Clock, agents: Agents, sessions: Sessions, hub: Hub) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._sessions = sessions
        self._hub = hub
        self._heirs: dict[str, Callable[[str], str | None]] = {}

    def inherit(self, dialect: str, facet_of: Callable[[str], str | None]) -> None:
        """Give each child of a session that has a facet of `dialect` the one that `facet_of` makes of it, if any.

        A dialect that shows a session to some callers only keeps its children from the others so.
        """
        self._heirs[dialect] = facet_of

    async def start(self, errand: Errand, task: StartChild) -> None:
        """Make the child, or tell the ask why there will be none."""
        org, reads = errand.org, self._store.reads
        ask = await reads.get_ask(org, errand.session, task.ask)
        parent = await reads.get_session(org, errand.session)
        try:
            if ask is None or parent is None:
                raise Refused("Its parent is gone.")
            new, record = await self._prepare(parent, ask, task)
            await self._make(errand, task, new, record)
        except (Refused, InvalidRequest, AlreadyExists) as refusal:
            await self._refuse(errand, task, str(refusal))

    async def _prepare(
        self, parent: SessionRecord, ask: Ask, task: StartChild
    ) -> tuple[NewSession, SessionRecord]:
        session, child = parent.session, wanted(ask)
        if child is None or not child.message.strip():
            raise Refused("The call says no agent, or no message.")
        turn = await self._store.reads.get_turn(session.org, session.id, ask.turn)
        version = session.agent_version if turn is None else turn.agent_version
        starter = await self._agents.get(session.org, session.agent, version)
        agent = await self._agents.resolve(session.org, child.agent)
        _check(starter, agent, session.kin, task.number)
        kin = Kin(ancestors=(*session.kin.ancestors, session.id), turn=ask.turn, ask=ask.id, awaited=True)
        new = NewSession(
            id=child.id,
            agent=agent.id,
            title=child.title,
            origin=ORIGIN,
            kin=kin,
            message=(TextPart(child.message),),
            facets=await self._facets(session.org, session.id),
        )
        return new, await self._sessions.prepare(session.org, new)

    async def _facets(self, org: OrgId, parent: SessionId) -> Mapping[str, str]:
        facets: dict[str, str] = {}
        for dialect, facet_of in self._heirs.items():
            text = await self._store.reads.get_facet(org, parent, dialect)
            inherited = None if text is None else facet_of(text)
            if inherited is not None:
                facets[dialect] = inherited
        return facets

    async def _make(self, errand: Errand, task: StartChild, new: NewSession, record: SessionRecord) -> None:
        async def verb(tx: Tx) -> None:
            # Under the parent's lock: whoever stops waiting comes before, and nothing is made, or leaves an errand
            # behind this one's commit that finds the child.
            found = await _opening(tx, errand, task)
            if found is None:
                return
            parent = found[0].session
            kin = replace(new.kin, budgeted=bool(parent.budgets) or parent.kin.budgeted)
            session = replace(record.session, kin=kin)
            await self._sessions.make(tx, new, replace(record, session=session), AGENT)

        await self._store.write(verb)

    async def _refuse(self, errand: Errand, task: StartChild, reason: str) -> None:
        async def verb(tx: Tx) -> None:
            found = await _opening(tx, errand, task)
            if found is None:
                return
            state, ask = found
            said: Json = {"status": "refused", "error": reason}
            command = DecideAsk(ask=ask, decision="answer", answer=said, by=POLICY)
            await carry_out(tx, state, command, self._clock.now())

        await self._store.write(verb)

    async def answer(self, errand: Errand, task: AnswerParent) -> None:
        """Decide the parent's ask with what the child's turn came to."""
        said = await self._said(errand.org, errand.session, task.turn)
        told = answer(task.end, said.text, task.error, errand.session, usage=_usage(said.usage))

        async def verb(tx: Tx) -> None:
            if not await tx.settle_errand(errand):
                return
            state = await tx.lock_session(errand.org, task.parent)
            ask = await tx.get_ask(errand.org, task.parent, task.ask)
            if state is None or ask is None or ask.status != "open":
                return
            command = DecideAsk(ask=ask, decision="answer", answer=told, by=AGENT)
            await carry_out(tx, state, command, self._clock.now())

        await self._store.write(verb)

    async def _said(self, org: OrgId, session: SessionId, turn: TurnId | None) -> _Said:
        """The last message of the turn and what the turn has used, from its part of the log, which does not change."""
        reads = self._store.reads
        found = None if turn is None else await reads.get_turn(org, session, turn)
        text, events = "", list[NewEvent]()
        after = 0 if found is None else found.first_seq - 1
        while found is not None and (page := await read_page(reads, org, session, after, PAGE, _SAID)):
            said = [entry.event for stored, entry in page if stored.turn == turn]
            for event in said:
                if isinstance(event, MessageCompleted):
                    text = event.text
                elif event is not None:
                    events.append(NewEvent(event, turn))
            after = page[-1][0].seq
        return _Said(text[:MAX_TEXT], usage_of(events))

    async def stop(self, errand: Errand, task: StopChild) -> None:
        """Cancel what the child does for an ask that waits for it no more."""

        async def verb(tx: Tx) -> None:
            if not await tx.settle_errand(errand):
                return
            state = await tx.lock_session(errand.org, task.child)
            if state is None:
                return
            kin = state.session.kin
            # The id is what a runner has said: a session of that id may be another's child, or nobody's.
            if not kin.awaited or (kin.parent, kin.ask) != (errand.session, task.ask):
                return
            # What it was made with is the first that it received.
            found = await tx.list_inputs(errand.org, task.child, None, 0, 1)
            if not found:
                return
            left = await stopped(tx, state, self._hub)
            command = ReleaseChild(asked=found[0], by=task.by, unfinished=left)
            await carry_out(tx, state, command, self._clock.now())

        await self._store.write(verb)

    async def end(self, errand: Errand, task: EndChildren) -> None:
        """Each child is ended by itself, so that no transaction holds more than one session."""
        for record in await children_of(self._store.reads, errand.org, errand.session):
            child = record.session
            if child.status is SessionStatus.OPEN and await self._was_before(errand, task, child):
                await self._end(errand.org, child.id, task)
        await self._store.write(lambda tx: tx.settle_errand(errand))

    async def _was_before(self, errand: Errand, task: EndChildren, child: Session) -> bool:
        """Whether it is no child that the parent has started since, when it was open again. No clock is asked."""
        started_by = child.kin.turn
        if started_by is None:
            return False
        # The turns of a parent that was deleted are gone, and it starts no other child.
        turn = await self._store.reads.get_turn(errand.org, errand.session, started_by)
        return turn is None or turn.first_seq <= task.upto

    async def _end(self, org: OrgId, child: SessionId, task: EndChildren) -> None:
        async def verb(tx: Tx) -> None:
            state = await tx.lock_session(org, child)
            if state is None or state.session.status is not SessionStatus.OPEN:
                return
            command = EndSession(
                status=task.status,
                by=task.by,
                reason=task.reason,
                queued=tuple(await tx.queued_inputs(org, child, steers_only=False, limit=MAX_QUEUED)),
                unfinished=await stopped(tx, state, self._hub),
            )
            await carry_out(tx, state, command, self._clock.now())

        await self._store.write(verb)


async def _opening(tx: Tx, errand: Errand, task: StartChild) -> tuple[State, Ask] | None:
    """Take the errand, and the parent's lock; None if there is nothing to be done any more."""
    if not await tx.settle_errand(errand):
        return None
    state = await tx.lock_session(errand.org, errand.session)
    ask = await tx.get_ask(errand.org, errand.session, task.ask)
    if state is None or ask is None or ask.status != "open":
        return None
    return state, ask


def _check(starter: Agent, agent: Agent, kin: Kin, number: int) -> None:
    """Refused unless an agent of that place in a tree may start a session of another agent."""
    limits = starter.spec.sub_sessions
    if limits.agents is not None and not {agent.spec.name, str(agent.id)} & set(limits.agents):
        raise Refused(f"The agent {starter.spec.name} may not start sessions of {agent.spec.name}.")
    if kin.depth >= min(limits.max_depth, MAX_DEPTH):
        raise Refused(f"Sessions below this one would be deeper than {min(limits.max_depth, MAX_DEPTH)}.")
    if number > min(limits.max_children, MAX_CHILDREN):
        raise Refused(f"No session may start more than {min(limits.max_children, MAX_CHILDREN)} others.")


def _usage(usage: Usage) -> dict[str, Json]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": None if usage.cost_usd is None else f"{usage.cost_usd:f}",
    }
