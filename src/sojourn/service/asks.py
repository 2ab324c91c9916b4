"""Asks: read them and decide them. A turn resumes with the last decision that it waits for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.ask import DECISIONS, Ask, Decision, check_option, is_of_program
from sojourn.domain.commands import DecideAsk, DecideAsks, UpdateSession
from sojourn.domain.draft import State
from sojourn.domain.errors import InvalidRequest, NotFound, WrongState
from sojourn.domain.ids import AskId, OrgId, SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.overlay import NOTHING_ADDED
from sojourn.domain.tool_policy import ToolRule, with_rule
from sojourn.ports import Clock, Store, Tx
from sojourn.service.agents import Agents
from sojourn.service.changes import SessionChange, changed_fields, describe
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, carry_out, lock, once


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decides. `answer` is a client's output or its `{"error": text}`; of a denial `{"reason": text}`
    or the text.

    Of an approval it may be `{"arguments": object}`, with which the tool then runs; of one that an agent's program asks
    for, `{"option": id}` with an id of the prompt's options. `always` decides so about every later call of that tool in
    the session.
    """

    decision: Decision
    answer: Json = None
    always: bool = False


class Asks:
    def __init__(self, store: Store, clock: Clock, agents: Agents) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents

    async def get(self, org: OrgId, session: SessionId, ask: AskId) -> Ask:
        found = await self._store.reads.get_ask(org, session, ask)
        # The asks of a deleted session outlive it until they are purged.
        if found is None or session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("ask", ask)
        return found

    async def list(
        self, org: OrgId, session: SessionId, open_only: bool, after: AskId | None, limit: int
    ) -> Sequence[Ask]:
        """In the order in which they were opened; `after` is the last ask of the page before."""
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)
        return await self._store.reads.list_asks(org, session, open_only, after, limit)

    async def decide(
        self,
        org: OrgId,
        session: SessionId,
        ask: AskId,
        verdict: Verdict,
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[Ask]:
        """WrongState unless the ask is open."""

        async def choose(tx: Tx, _state: State) -> Sequence[tuple[Ask, Verdict]]:
            found = await tx.get_ask(org, session, ask)
            if found is None:
                raise NotFound("ask", ask)
            return [(found, verdict)]

        decided = await self._decide(org, session, choose, by, repeat)
        return Result(decided.value[0], created=False, replayed=decided.replayed)

    async def decide_calls(
        self,
        org: OrgId,
        session: SessionId,
        verdicts: Mapping[str, Verdict],
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[Sequence[Ask]]:
        """Decide the open asks about the tool calls of those ids, all of them or none; others may stay open.

        NotFound for an id that no open ask is about; WrongState where no ask is open at all.
        """

        async def choose(tx: Tx, state: State) -> Sequence[tuple[Ask, Verdict]]:
            asks = await tx.list_asks(org, session, open_only=True)
            if not asks:
                raise WrongState("session", state.session.activity, "have an ask decided")
            # A model may give two calls one id: the older ask is decided first.
            by_call = {ask.prompt.get("tool_call_id"): ask for ask in reversed(asks)}
            for call in verdicts:
                if call not in by_call:
                    raise NotFound("open ask about tool call", call)
            return [(by_call[call], verdict) for call, verdict in verdicts.items()]

        return await self._decide(org, session, choose, by, repeat)

    async def decide_many(
        self,
        org: OrgId,
        session: SessionId,
        verdicts: Mapping[AskId, Verdict],
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[Sequence[Ask]]:
        """Decide these asks, all of them or none. WrongState where one is not open, or none is named."""

        async def choose(tx: Tx, state: State) -> Sequence[tuple[Ask, Verdict]]:
            if not verdicts:
                raise WrongState("session", state.session.activity, "have an ask decided")
            chosen: list[tuple[Ask, Verdict]] = []
            for id, verdict in verdicts.items():
                ask = await tx.get_ask(org, session, id)
                if ask is None:
                    raise NotFound("ask", id)
                chosen.append((ask, verdict))
            return chosen

        return await self._decide(org, session, choose, by, repeat)

    async def _decide(
        self,
        org: OrgId,
        session: SessionId,
        choose: Callable[[Tx, State], Awaitable[Sequence[tuple[Ask, Verdict]]]],
        by: Actor,
        repeat: Repeat | None,
    ) -> Result[Sequence[Ask]]:
        now = self._clock.now()
        decided: list[Ask] = []

        async def act(tx: Tx) -> Remembered:
            state = await lock(tx, org, session)
            chosen = await choose(tx, state)
            for ask, verdict in chosen:
                _check(ask, verdict)
            commands = tuple(
                DecideAsk(ask=ask, decision=verdict.decision, answer=_answer(ask, verdict), by=by)
                for ask, verdict in chosen
            )
            decision = await carry_out(tx, state, DecideAsks(verdicts=commands), now)
            decided[:] = decision.asks
            await self._remember_rules(tx, org, session, chosen, by, now)
            return Remembered({"asks": " ".join(str(ask.id) for ask in decided)}, created=False)

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: act(tx))

        answer = await self._store.write(verb)
        if answer.replayed:
            ids = [AskId(UUID(id)) for id in answer.ids["asks"].split()]
            decided = [await self.get(org, session, id) for id in ids]
        return Result(decided, created=False, replayed=answer.replayed)

    async def _remember_rules(
        self,
        tx: Tx,
        org: OrgId,
        session: SessionId,
        chosen: Sequence[tuple[Ask, Verdict]],
        by: Actor,
        now: datetime,
    ) -> None:
        """What was decided for good becomes a rule of the session, of its own revision."""
        for_good: dict[str, ToolRule] = {}
        for ask, verdict in chosen:
            # Of two about one tool the refusal is the stronger.
            if verdict.always and for_good.get(str(ask.prompt["name"])) != "deny":
                for_good[str(ask.prompt["name"])] = _rule(verdict)
        record = await tx.get_session(org, session) if for_good else None
        if record is None:
            return
        overlay = record.overlay or NOTHING_ADDED
        agent = await self._agents.get_version(tx, org, record.session.agent, record.session.agent_version)
        policy = overlay.over(agent.spec).tool_policy
        rules = {tool: with_rule(policy, tool, rule) for tool, rule in for_good.items()}
        overlay = replace(overlay, tool_policy={**overlay.tool_policy, **rules})
        change = SessionChange(overlay=overlay)
        changes = changed_fields(change, None)
        command = UpdateSession(changes=changes, by=by, overlaid=True)
        await carry_out(tx, await lock(tx, org, session), command, now)
        await describe(tx, record, change)


def _rule(verdict: Verdict) -> ToolRule:
    return "allow" if verdict.decision == "allow" else "deny"


def _answer(ask: Ask, verdict: Verdict) -> Json:
    """What the log says was answered. A program that asks has an option of its own for what is decided for good."""
    if not verdict.always or not is_of_program(ask):
        return verdict.answer
    given = verdict.answer if isinstance(verdict.answer, dict) else {}
    return {**given, "always": True}


def _check(ask: Ask, verdict: Verdict) -> None:
    if verdict.decision not in DECISIONS[ask.kind]:
        allowed = " or ".join(sorted(DECISIONS[ask.kind]))
        raise InvalidRequest("decision", f"must be {allowed} for an ask of kind {ask.kind}")
    if verdict.always and ask.kind != "approval":
        raise InvalidRequest("always", f"is no word for an ask of kind {ask.kind}")
    if verdict.always and not isinstance(ask.prompt.get("name"), str):
        raise InvalidRequest("always", "is no word for an ask that names no tool")
    if is_of_program(ask):
        check_option(ask.prompt, verdict.decision, verdict.answer)
        return
    match verdict.decision, verdict.answer:
        case "allow", {"arguments": dict(), **others} if not others:
            return
        case "allow", None:
            return
        case "allow", _:
            raise InvalidRequest(
                "answer", "must be an object with the only member arguments, an object, or be left out"
            )
        case _:
            return
