"""An imported session has the log, the chain and the rows of its origin; a log that no session can have is refused."""

import asyncio
import hashlib
import io
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest

from sojourn.domain import soundness
from sojourn.domain.ask import NewAsk
from sojourn.domain.content import Usage
from sojourn.domain.errors import IdempotencyMismatch, InvalidRequest
from sojourn.domain.events import ModelCompleted, SessionImported
from sojourn.domain.export import GENESIS, hashed
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import AskId, KeyId, OrgId, SessionId, uuid7
from sojourn.domain.log import LogEntry
from sojourn.domain.rebuild import Rebuild
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.domain.transcript import Transcript
from sojourn.domain.verifier import BrokenExport
from sojourn.service import import_reading
from sojourn.service.codec import INLINE_BYTES, decode
from sojourn.service.forks import NewFork
from sojourn.service.imports import NewImport, request_hash
from sojourn.service.results import Repeat, Result
from sojourn.store.where import Dialect
from tests.service.exported import events, export, read
from tests.service.lives import on_random_logs
from tests.service.test_forks import in_a_tool, snapshot
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.invariants import check_session
from tests.support.snapshot import Snapshot
from tests.support.world import SOMEBODY, World, open_world

SEEDS: dict[Dialect, int] = {"sqlite": 6, "postgres": 2}
FORGERIES = 400
AS_NEW = NewImport(as_new=True)


async def load(
    world: World,
    lines: list[bytes],
    new: NewImport = AS_NEW,
    repeat: Repeat | None = None,
    org: OrgId | None = None,
) -> Result[SessionRecord]:
    file = io.BytesIO(b"".join(lines))
    checked = await world.services.imports.check(file)
    return await world.services.imports.load(org or world.org, file, checked, new, SOMEBODY, repeat)


async def loaded(world: World, lines: list[bytes], new: NewImport = AS_NEW) -> SessionId:
    return (await load(world, lines, new)).value.session.id


def rechained(objects: list[dict[str, Any]]) -> list[bytes]:
    """The lines of somebody who knows how to make a sound chain of anything."""
    lines: list[bytes] = []
    head, header, kinds = GENESIS, "", [fields["kind"] for fields in objects]
    for fields in objects:
        fields.pop("hash", None)
        if fields["kind"] == "event":
            fields["prev"] = head
        if fields["kind"] == "trailer":
            fields |= {
                "head": head,
                "header": header,
                "events": kinds.count("event"),
                "blobs": kinds.count("blob"),
            }
        line, digest = hashed(fields)
        if fields["kind"] == "blob":
            line = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        head = digest if fields["kind"] == "event" else head
        header = digest if fields["kind"] == "header" else header
        lines.append(line)
    return lines


def renumbered(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seq = 0
    for fields in objects:
        if fields["kind"] == "event":
            seq += 1
            fields["seq"] = seq
    objects[0]["last_seq"] = seq
    return objects


@pytest.mark.timeout(300)
def test_an_import_keeps_the_chain_of_a_random_log_and_has_the_rows_of_a_fork(database: Database) -> None:
    on_random_logs(database, SEEDS[database.dialect], lambda world, session, _: compare(world, session))


async def compare(world: World, session: SessionId) -> None:
    lines = await export(world, session)
    before = [one.hash for one in await events(world, session)]
    made = await snapshot(world, await loaded(world, lines))
    assert list(check_session(made)) == []
    again = await events(world, made.record.session.id)
    assert [one.hash for one in again[: len(before)]] == before
    fork = await world.services.forks.fork(world.org, session, NewFork(), SOMEBODY)
    assert rows(made) == rows(await snapshot(world, fork.value.session.id))
    own = [event for _, event in made.events[len(before) :]]
    assert isinstance(own[0], SessionImported)
    assert (own[0].origin, own[0].at, own[0].head) == (session, len(before), before[-1])
    # And once more, now with an import in its past.
    twice = await loaded(world, await export(world, made.record.session.id))
    assert [one.hash for one in (await events(world, twice))[: len(again)]] == [one.hash for one in again]


def rows(made: Snapshot) -> Any:
    """What a past makes of the rows; a fork and an import have it at the same seqs."""
    ended = {turn.id for turn in made.turns if turn.reason == "interrupted"}
    turns = [replace(turn, ended_at=None) if turn.id in ended else turn for turn in made.turns]
    files = sorted(made.tables["files"])
    return turns, made.inputs, made.asks, files, made.record.usage, made.record.session.turns


async def test_what_is_large_arrives_and_what_was_open_is_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_reading, "PIECE", 3)
    turn = await in_a_tool(world)
    await world.send(turn.session, "x" * (INLINE_BYTES + 1))
    await world.services.files.write(world.org, turn.session, "a/b", b"\0\xff" * 1000)
    made = await loaded(world, await export(world, turn.session), NewImport(title="t", tags=("x",)))
    assert made != turn.session
    record = await world.record(made)
    assert (record.title, record.tags, record.usage) == ("t", ("x",), Usage())
    assert (record.session.status, record.session.activity) == (SessionStatus.OPEN, Activity.IDLE)
    assert (await world.services.files.read(world.org, made, "a/b"))[1] == b"\0\xff" * 1000
    assert list(check_session(await snapshot(world, made))) == []
    # It goes on.
    await world.send(made, "and now?")
    assert (await world.claim(made)).session == made


async def test_a_session_keeps_its_id_where_that_is_free_and_dies_with_no_trace_of_another(
    world: World,
) -> None:
    session = await world.new_session()
    await world.send(session, "hello")
    lines = await export(world, session)
    other = OrgId(uuid7())
    await world.services.access.ensure_org(other, "other")
    await world.services.agents.ensure_default(other)
    elsewhere = (await load(world, lines, NewImport(), org=other)).value.session
    assert (elsewhere.org, elsewhere.id) == (other, session)
    assert (await load(world, lines, NewImport())).value.session.id != session
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    assert (await load(world, lines, NewImport())).value.session.id != session


async def test_an_import_is_a_fork_of_the_session_that_shares_its_log_and_is_here(world: World) -> None:
    parent = await world.new_session()
    await world.send(parent, "hello")
    other = await world.new_session()
    fork = (await world.services.forks.fork(world.org, parent, NewFork(), SOMEBODY)).value
    lines = await export(world, fork.session.id)
    made = (await load(world, lines)).value
    assert (made.forked_from, made.forked_seq) == (parent, fork.forked_seq)
    assert made.session.kin.parent is None
    # Another session's log is another one, whatever a file says, and a session that is gone has none.
    objects = [json.loads(line) for line in lines]
    for fields in objects:
        if fields.get("type") == "session.forked":
            fields["data"]["parent"] = str(other)
    assert (await load(world, rechained(objects))).value.forked_from is None
    await world.services.sessions.delete(world.org, parent, SOMEBODY)
    assert (await load(world, lines)).value.forked_from is None


async def test_an_import_is_repeated_by_its_key_and_by_its_name(world: World) -> None:
    lines = await export(world, await world.new_session())
    _, taken = read(lines)
    trailer: Any = taken[-1]
    repeat = Repeat(KeyId(uuid7()), "import", "once", request_hash(trailer, ""))
    first, second = await load(world, lines, repeat=repeat), await load(world, lines, repeat=repeat)
    assert first.value.session.id == second.value.session.id
    assert (first.replayed, second.replayed) == (False, True)
    with pytest.raises(IdempotencyMismatch):
        await load(world, lines, repeat=replace(repeat, request_hash=b"other"))
    named = NewImport(external_id="n", as_new=True)
    made, got = await load(world, lines, named), await load(world, lines, named)
    assert (made.created, got.created) == (True, False)
    assert made.value.session.id == got.value.session.id


async def test_the_agent_is_found_by_id_by_name_or_is_asked_for(world: World) -> None:
    lines = await export(world, await world.new_session())
    objects = [json.loads(line) for line in lines]
    objects[0]["agent"] |= {"id": str(uuid7())}
    assert (await load(world, rechained(objects))).created
    objects[0]["agent"] = {"id": "nonsense", "spec": {"name": "nobody"}}
    with pytest.raises(InvalidRequest, match="there is no agent nobody here"):
        await load(world, rechained(objects))
    spawning = await world.services.agents.resolve(world.org, "spawning")
    made = await load(world, rechained(objects), NewImport(agent="spawning", as_new=True))
    assert made.value.session.agent == spawning.id


async def test_nothing_of_a_file_that_is_refused_is_written(world: World) -> None:
    session = await world.new_session()
    await world.send(session, "hello")
    lines = await export(world, session)
    published = len(world.published)
    lines[2] = lines[2].replace(b"hello", b"olleh")
    with pytest.raises(BrokenExport) as refused:
        await load(world, lines)
    assert refused.value.line == 3
    assert len(world.published) == published
    for table in ("sessions", "tombstones"):
        found = world.database.query(f"SELECT count(*) FROM {table}")
        assert found == [(1 if table == "sessions" else 0,)]


class Watched(io.BytesIO):
    """A file that is read on only while the event loop runs."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._loop = asyncio.get_running_loop()
        self.reads = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        turned = threading.Event()
        self._loop.call_soon_threadsafe(turned.set)
        assert turned.wait(5), "the event loop stands still while a file is read"
        self.reads += 1
        return super().readline(-1 if size is None else size)


async def test_the_event_loop_goes_on_while_each_line_of_a_file_is_read(world: World) -> None:
    session = await world.new_session()
    await world.send(session, "hello")
    lines = await export(world, session)
    file = Watched(b"".join(lines))
    checked = await world.services.imports.check(file)
    await world.services.imports.load(world.org, file, checked, AS_NEW, SOMEBODY)
    # Every line and the end, when it is checked and when it is written.
    assert file.reads == 2 * (len(lines) + 1)


async def test_usage_is_not_taken_over_and_no_budget_is_charged(world: World) -> None:
    turn = await world.claimed()
    call = (await events(world, turn.session))[-1]
    message = json.loads(call.data)
    answer = ModelCompleted(
        call=message["call"], model="m", provider="p", usage=Usage(10**6, 10**6), finish_reason="stop"
    )
    await world.services.turns.settle(turn, (answer,))
    made = await loaded(world, await export(world, turn.session))
    assert (await world.record(made)).usage == Usage()
    assert list(await world.store.reads.list_budgets(world.org, made, None, 10)) == []


def change(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields["data"].update(changes)


def envelope(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields.update(changes)


CUT: Final = {"first_seq": 2, "by": {"kind": "timeout", "key": None}}


@pytest.mark.parametrize(
    ("type", "forge", "why"),
    [
        ("input.received", envelope(data={"blob": {"sha256": "0" * 64, "size": 1}}), "reference"),
        ("turn.queued", envelope(data={"blob": {"sha256": "0" * 64, "size": 1}}), "reference"),
        ("input.received", change(kind="nonsense"), "no event"),
        ("input.received", envelope(type="planet.discovered"), "does not know"),
        ("input.received", envelope(v=99), "does not know"),
        ("input.received", change(facets={"x": "\0"}), "NUL"),
        ("input.received", envelope(at="9999-01-01T00:00:00.000000Z"), "time"),
        ("input.received", envelope(at="1969-01-01T00:00:00.000000Z"), "time"),
        ("session.created", envelope(type="turn.resumed", v=1, data={}), "session.created"),
        ("turn.queued", change(input=str(uuid7())), "no input"),
        ("turn.queued", envelope(turn=None), "no input"),
        ("turn.started", change(attempt=7), "attempt"),
        ("turn.started", envelope(turn=str(uuid7())), "not open"),
        ("turn.started", change(agent_version=2**40), "attempt"),
        ("input.delivered", change(input=str(uuid7())), "does not wait"),
        ("tool.requested", change(index=5), "not asked for"),
        ("tool.completed", change(index=7), "not asked for"),
        ("model.called", envelope(type="session.trimmed", v=1, data=CUT), "open session"),
        ("file.written", change(path="../x"), r"'\.\.'"),
        ("file.written", change(path="a//b"), "another form"),
        ("file.written", change(size=7), "size"),
    ],
)
async def test_a_sound_chain_of_what_no_session_can_say_is_refused(
    world: World, type: str, forge: Callable[[dict[str, Any]], None], why: str
) -> None:
    turn = await in_a_tool(world)
    await world.services.files.write(world.org, turn.session, "a", b"1")
    objects = [json.loads(line) for line in await export(world, turn.session)]
    place = next(place for place, fields in enumerate(objects) if fields.get("type") == type)
    forge(objects[place])
    with pytest.raises(BrokenExport, match=why) as refused:
        await load(world, rechained(objects))
    assert refused.value.line > place


async def test_what_would_keep_everybody_waiting_when_it_is_closed_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soundness, "MAX_QUEUED", 3)
    session = await world.new_session()
    for _ in range(4):
        await world.send(session, "hello")
    assert (await load(world, await export(world, session))).created
    await world.send(session, "one more")
    with pytest.raises(BrokenExport, match="queue is full"):
        await load(world, await export(world, session))
    tools = await export(world, (await in_a_tool(world)).session)
    monkeypatch.setattr(soundness, "MAX_OF_TURN", 0)
    with pytest.raises(BrokenExport, match="more tools than one answer may"):
        await load(world, tools)
    turn = await world.claimed()
    asked = NewAsk(id=AskId(uuid7()), kind="question", prompt={})
    await world.services.turns.wait(turn, (), (asked,), "parked")
    with pytest.raises(BrokenExport, match="asks more than a turn may"):
        await load(world, await export(world, turn.session))


async def test_data_that_is_nested_too_deeply_is_refused(world: World) -> None:
    session = await world.new_session()
    await world.send(session, "hello")
    objects = [json.loads(line) for line in await export(world, session)]
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    objects[2]["data"]["facets"] = {"a": deep}
    with pytest.raises(BrokenExport, match="deeper"):
        await load(world, rechained(objects))


def forge(random: Random, objects: list[dict[str, Any]]) -> None:
    """Change, drop, repeat or swap events of a log, or values between two of them."""
    places = [place for place, fields in enumerate(objects) if fields["kind"] == "event"]
    one, two = random.choice(places), random.choice(places)
    act = random.randrange(4)
    if act == 0:
        del objects[one]
    elif act == 1:
        objects.insert(one, json.loads(json.dumps(objects[two])))
    elif act == 2:
        objects[one], objects[two] = objects[two], objects[one]
    else:
        names = objects[one]["data"].keys() & objects[two]["data"].keys()
        for name in names:
            objects[one]["data"][name] = objects[two]["data"][name]
        objects[one]["turn"] = objects[two]["turn"]


async def test_what_is_accepted_can_be_read_by_every_fold_however_it_was_forged(sqlite: Database) -> None:
    async with open_world(sqlite, HandClock()) as world:
        turn = await in_a_tool(world)
        await world.send(turn.session, "more", "steer")
        await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
        lines = await export(world, turn.session)
        random, accepted = Random(5), 0
        for _ in range(FORGERIES):
            objects = [json.loads(line) for line in lines]
            for _ in range(random.randint(1, 2)):
                forge(random, objects)
            forged = rechained(renumbered(objects))
            try:
                await world.services.imports.check(io.BytesIO(b"".join(forged)))
            except BrokenExport:
                continue
            accepted += 1
            digest(forged)
        assert accepted > 3


def digest(lines: list[bytes]) -> None:
    """Have every fold take it."""
    conversation, transcript, rebuild = Conversation(), Transcript(), Rebuild("model")
    _, taken = read(lines)
    for one in taken:
        if hasattr(one, "seq"):
            entry: Any = one
            event = decode(entry.type, entry.v, entry.data)
            known = LogEntry(entry.seq, entry.turn, entry.type, event)
            conversation.extend([known])
            transcript.extend([(entry.at, known)])
            rebuild.apply(known, entry.at)


async def test_an_export_without_files_makes_no_session_that_has_some(world: World) -> None:
    session = await world.new_session()
    assert (await load(world, await export(world, session, has_files=False))).created
    await world.services.files.write(world.org, session, "a", b"1")
    with pytest.raises(BrokenExport):
        await load(world, await export(world, session, has_files=False))


async def test_the_content_of_another_session_is_not_had_by_its_digest(world: World) -> None:
    """It would have to be in the file."""
    secret = await world.new_session()
    await world.services.files.write(world.org, secret, "a", b"secret")
    session = await world.new_session()
    await world.services.files.write(world.org, session, "a", b"mine")
    objects = [json.loads(line) for line in await export(world, session)]
    wanted = hashlib.sha256(b"secret").hexdigest()
    for fields in objects:
        if fields.get("type") == "file.written":
            fields["data"] |= {"sha256": wanted, "size": 6}
    objects = [fields for fields in objects if fields["kind"] != "blob"]
    with pytest.raises(BrokenExport, match="not in the file"):
        await load(world, rechained(objects))
