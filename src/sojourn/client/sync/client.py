# Made from src/sojourn/client/client.py by scripts/twin; change that one.
"""The verbs of the native API."""

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Unpack
from uuid import UUID

import msgspec

from sojourn.client.agent_types import Agent, AgentFields
from sojourn.client.answer import AnswerPart, AnswerReader, TurnClosed
from sojourn.client.ask_types import Ask, CallDecided, Decided, DecidedAsks
from sojourn.client.errors import InputWithdrawn, NotFound
from sojourn.client.request import Params, Request, if_match, optional, post
from sojourn.client.stream_types import Event, Gap, LossListener, StreamItem, no_listener
from sojourn.client.sync.budgets import BudgetCalls
from sojourn.client.sync.capabilities import CapabilityCalls
from sojourn.client.sync.exports import ExportCalls
from sojourn.client.sync.files import FileCalls
from sojourn.client.sync.inputs import InputCalls
from sojourn.client.sync.keys import KeyCalls
from sojourn.client.sync.lifetimes import LifetimeCalls
from sojourn.client.sync.memories import MemoryCalls
from sojourn.client.sync.models import ModelCalls
from sojourn.client.sync.orgs import OrgCalls
from sojourn.client.sync.stream import EventStream
from sojourn.client.sync.transport import Transport
from sojourn.client.sync.worker_calls import WorkerCalls
from sojourn.client.types import (
    CreatedSession,
    Delivery,
    EndStatus,
    HeldPresence,
    HeldPresences,
    Input,
    Interrupted,
    Json,
    NewFork,
    NewSession,
    Page,
    Presence,
    Principal,
    Session,
    SessionFields,
    SessionFilter,
    SessionTree,
    Turn,
)


class Client(
    WorkerCalls,
    KeyCalls,
    InputCalls,
    ExportCalls,
    FileCalls,
    BudgetCalls,
    LifetimeCalls,
    CapabilityCalls,
    MemoryCalls,
    ModelCalls,
    OrgCalls,
):
    """One server, one key: `with Client(base_url, key) as client:`.

    Every call is repeated, with growing delays, while the server is away or busy (429, 503, a lost connection) and
    `give_up_after_seconds` have not passed; a repeated POST carries the same idempotency key, so it happens once.
    Calls raise ApiError or ServerUnreachable. A generator that is left before its end is closed by `closing`.
    """

    def __init__(
        self, base_url: str, key: str, *, timeout_seconds: float = 30.0, give_up_after_seconds: float = 30.0
    ) -> None:
        """`timeout_seconds` bounds each try of a call, `give_up_after_seconds` all of them; streams know neither."""
        super().__init__(
            Transport(
                base_url, key, timeout_seconds=timeout_seconds, give_up_after_seconds=give_up_after_seconds
            )
        )

    def me(self) -> Principal:
        return self._transport.fetch(Request("GET", "/me"), Principal)

    def create_agent(self, *, idempotency_key: str | None = None, **fields: Unpack[AgentFields]) -> Agent:
        """Needs a `name`; Conflict if it is taken."""
        return self._transport.fetch(post("/agents", fields, idempotency_key), Agent)

    def get_agent(self, agent: UUID, version: int | None = None) -> Agent:
        """The newest version, or the one asked for."""
        params = [] if version is None else [("version", str(version))]
        return self._transport.fetch(Request("GET", f"/agents/{agent}", params), Agent)

    def list_agents(self, page_size: int = 100, search: str | None = None) -> Generator[Agent, None]:
        """Those in use; `search` is found in the name or the description."""
        params = [("limit", str(page_size)), *([] if search is None else [("search", search)])]
        return self._all("/agents", params, Page[Agent])

    def archive_agent(self, agent: UUID, archived: bool = True) -> Agent:
        """Take an agent out of use, or back into it."""
        path = f"/agents/{agent}/{'archive' if archived else 'unarchive'}"
        return self._transport.fetch(post(path, {}, None), Agent)

    def update_agent(
        self, agent: UUID, *, if_version: int | None = None, **fields: Unpack[AgentFields]
    ) -> Agent:
        """Make the next version. RevisionMismatch if `if_version` is not the newest."""
        # A repeat would make one version more.
        request = Request("PATCH", f"/agents/{agent}", (), fields, if_match(if_version), repeatable=False)
        return self._transport.fetch(request, Agent)

    def create_session(
        self, *, idempotency_key: str | None = None, **new: Unpack[NewSession]
    ) -> CreatedSession:
        """A known `external_id` answers the session that has it, with `created` False."""
        return self._transport.fetch(post("/sessions", new, idempotency_key), CreatedSession)

    def get_session(self, session: UUID) -> Session:
        return self._transport.fetch(Request("GET", f"/sessions/{session}"), Session)

    def session_tree(self, session: UUID, limit: int = 200) -> SessionTree:
        """The session and those below it, `limit` of them at most (1,000 at most)."""
        request = Request("GET", f"/sessions/{session}/tree", [("limit", str(limit))])
        return self._transport.fetch(request, SessionTree)

    def sessions_page(
        self, limit: int = 20, cursor: str | None = None, **filter: Unpack[SessionFilter]
    ) -> Page[Session]:
        params = [*_filter_params(filter), ("limit", str(limit)), *optional("cursor", cursor)]
        return self._transport.fetch(Request("GET", "/sessions", params), Page[Session])

    def list_sessions(
        self, page_size: int = 100, **filter: Unpack[SessionFilter]
    ) -> Generator[Session, None]:
        params = [*_filter_params(filter), ("limit", str(page_size))]
        return self._all("/sessions", params, Page[Session])

    def update_session(
        self, session: UUID, *, if_revision: int | None = None, **fields: Unpack[SessionFields]
    ) -> Session:
        """RevisionMismatch if the session is not at `if_revision`."""
        # A repeat with If-Match would meet the revision that its own first try has made.
        repeatable = if_revision is None
        headers = if_match(if_revision)
        request = Request("PATCH", f"/sessions/{session}", (), fields, headers, repeatable=repeatable)
        return self._transport.fetch(request, Session)

    def end_session(
        self, session: UUID, status: EndStatus = "completed", reason: str | None = None
    ) -> Session:
        """Conflict if it has ended already."""
        body = {"status": status} if reason is None else {"status": status, "reason": reason}
        return self._transport.fetch(post(f"/sessions/{session}/end", body), Session)

    def fork_session(
        self, session: UUID, *, idempotency_key: str | None = None, **new: Unpack[NewFork]
    ) -> CreatedSession:
        """Make a session whose past is the log of this one, up to the seq `at`; what is open there is closed in it."""
        return self._transport.fetch(post(f"/sessions/{session}/fork", new, idempotency_key), CreatedSession)

    def rewind_session(
        self,
        session: UUID,
        to_seq: int,
        *,
        expected_seq: int | None = None,
        idempotency_key: str | None = None,
    ) -> Session:
        """Have the session go on behind the event `to_seq`; its log keeps what is taken back.

        Conflict unless it is open and idle, and with `expected_seq` unless its log ends there; InvalidRequest for an
        event within a turn.
        """
        body = {"to_seq": to_seq} | ({} if expected_seq is None else {"expected_seq": expected_seq})
        return self._transport.fetch(post(f"/sessions/{session}/rewind", body, idempotency_key), Session)

    def archive_session(self, session: UUID) -> Session:
        return self._transport.fetch(post(f"/sessions/{session}/archive"), Session)

    def unarchive_session(self, session: UUID) -> Session:
        return self._transport.fetch(post(f"/sessions/{session}/unarchive"), Session)

    def delete_session(self, session: UUID) -> None:
        # A repeat could not tell its own first try from a session that was never there.
        self._transport.perform(Request("DELETE", f"/sessions/{session}", repeatable=False))

    def hold_presence(self, session: UUID, holder: str, ttl_seconds: float | None = None) -> Presence:
        """Say, or say again, that an outside process drives the session; this is its heartbeat."""
        body = {"holder": holder, "ttl_seconds": ttl_seconds}
        return self._transport.fetch(Request("PUT", f"/sessions/{session}/presence", (), body), Presence)

    def list_presences(self, session: UUID) -> Sequence[HeldPresence]:
        """Who drives the session from outside, by their names."""
        request = Request("GET", f"/sessions/{session}/presences")
        return (self._transport.fetch(request, HeldPresences)).data

    def release_presence(self, session: UUID, holder: str) -> None:
        request = Request("DELETE", f"/sessions/{session}/presence", [("holder", holder)], repeatable=False)
        self._transport.perform(request)

    def list_turns(self, session: UUID, page_size: int = 100) -> Generator[Turn, None]:
        return self._all(f"/sessions/{session}/turns", [("limit", str(page_size))], Page[Turn])

    def get_turn(self, session: UUID, turn: UUID) -> Turn:
        return self._transport.fetch(Request("GET", f"/sessions/{session}/turns/{turn}"), Turn)

    def cancel_turn(self, session: UUID, turn: UUID) -> Turn:
        """Also one that waits in line: its input is withdrawn. Conflict if it has closed already."""
        return self._transport.fetch(post(f"/sessions/{session}/turns/{turn}/cancel"), Turn)

    def interrupt(self, session: UUID) -> bool:
        """Stop the turn that is at work; whether one was."""
        return (self._transport.fetch(post(f"/sessions/{session}/interrupt"), Interrupted)).interrupted

    def list_asks(
        self, session: UUID, *, open_only: bool = True, page_size: int = 100
    ) -> Generator[Ask, None]:
        """What the turn waits for, or with `open_only` False all that was ever asked in the session."""
        params = [("status", "open" if open_only else "any"), ("limit", str(page_size))]
        return self._all(f"/sessions/{session}/asks", params, Page[Ask])

    def get_ask(self, session: UUID, ask: UUID) -> Ask:
        return self._transport.fetch(Request("GET", f"/sessions/{session}/asks/{ask}"), Ask)

    def decide_ask(
        self, session: UUID, ask: UUID, *, idempotency_key: str | None = None, **decided: Unpack[Decided]
    ) -> Ask:
        """With the last decision that it waits for the turn goes on. Conflict unless the ask is open."""
        request = post(f"/sessions/{session}/asks/{ask}/decide", decided, idempotency_key)
        return self._transport.fetch(request, Ask)

    def decide_asks(
        self, session: UUID, decisions: Sequence[CallDecided], *, idempotency_key: str | None = None
    ) -> list[Ask]:
        """Decide open asks by their tool calls, all of them or none: NotFound for a call that no open ask is about."""
        request = post(f"/sessions/{session}/asks/decide", {"decisions": decisions}, idempotency_key)
        return (self._transport.fetch(request, DecidedAsks)).data

    def events_page(
        self, session: UUID, after: int = 0, limit: int = 100, types: Sequence[str] = ()
    ) -> Page[Event]:
        """Up to `limit` events after the seq `after`, of all types or of `types`."""
        params = [("after", str(after)), ("limit", str(limit)), *(("type", type) for type in types)]
        return self._transport.fetch(Request("GET", f"/sessions/{session}/events", params), Page[Event])

    def fill_in(self, session: UUID, event: Event) -> Event:
        """The event with its data, fetched where it is so large that the log holds a reference to it."""
        blob = event.data.get("blob")
        if len(event.data) != 1 or not isinstance(blob, dict):
            return event
        request = Request("GET", f"/sessions/{session}/blobs/{blob['sha256']}")
        return msgspec.structs.replace(event, data=self._transport.fetch(request, dict[str, Json]))

    def stream(
        self,
        session: UUID,
        after: int = 0,
        *,
        give_up_after_seconds: float | None = None,
        on_loss: LossListener = no_listener,
    ) -> Generator[StreamItem, None]:
        """The log after the seq `after`, then what happens, without end.

        A lost connection is taken up again where it was lost, for as long as that takes: only an ApiError of 4xx ends
        the stream, or ServerUnreachable after `give_up_after_seconds` without a word. `on_loss` hears why each
        connection was lost; the CaughtUp after it says that nothing was missed.
        """
        return EventStream(self._transport, session, after, give_up_after_seconds, on_loss).items()

    def ask(
        self,
        session: UUID,
        text: str,
        delivery: Delivery = "queue",
        *,
        give_up_after_seconds: float | None = None,
        on_loss: LossListener = no_listener,
    ) -> Generator[AnswerPart, None]:
        """Send a message and read the answer as it is written, up to the TurnClosed of the turn that answers.

        Raises InputWithdrawn if somebody takes the message back, and what `send` and `stream` raise.
        """
        head = (self.get_session(session)).last_seq
        input = self.send(session, text, delivery)
        stream = self.stream(session, head, give_up_after_seconds=give_up_after_seconds, on_loss=on_loss)
        with closing(stream) as items, closing(self._answer(items, input)) as parts:
            yield from parts

    def _answer(self, items: Generator[StreamItem, None], input: Input) -> Generator[AnswerPart, None]:
        reader, turn = AnswerReader(), input.turn
        for item in items:
            whole = self.fill_in(input.session, item) if isinstance(item, Event) else item
            if isinstance(whole, Event):
                turn = _turn_of(input, whole) or turn
            elif isinstance(whole, Gap) and (closed := self._closed_turn(input.session, turn)):
                # The log that told of the end is gone.
                yield closed
                return
            for part in reader.read(whole):
                if part.turn == turn:
                    yield part
                    if isinstance(part, TurnClosed):
                        return

    def _closed_turn(self, session: UUID, turn: UUID) -> TurnClosed | None:
        try:
            found = self.get_turn(session, turn)
        except NotFound:
            # Not opened yet.
            return None
        if found.status in ("completed", "failed", "cancelled"):
            return TurnClosed(turn, found.status, found.reason or "", found.error)
        return None


def _turn_of(input: Input, event: Event) -> UUID | None:
    """The turn that reads the input, where the event tells: a steer is read by a turn that was open before it."""
    if event.data.get("input") != str(input.id):
        return None
    if event.type == "input.withdrawn":
        raise InputWithdrawn(input.id)
    return event.turn if event.type == "input.delivered" else None


def _filter_params(filter: SessionFilter) -> Params:
    params: list[tuple[str, str]] = []
    params += [("status", status) for status in filter.get("status", ())]
    params += [("activity", activity) for activity in filter.get("activity", ())]
    params += [("tag", tag) for tag in filter.get("tags", ())]
    params += [(f"metadata.{key}", value) for key, value in filter.get("metadata", {}).items()]
    for name in ("agent", "external_id", "alias", "forked_from", "parent", "archived", "order"):
        value = filter.get(name)
        params += [] if value is None else [(name, str(value))]
    for name in ("created_after", "created_before"):
        instant = filter.get(name)
        params += [] if instant is None else [(name, instant.isoformat())]
    return params
