"""An export tells the whole of a log, and the chain of a log is the same wherever it is exported from."""

import hashlib
import json

import pytest

from sojourn.domain.errors import NotFound
from sojourn.domain.export import ExportedBlob, ExportedEvent
from sojourn.domain.ids import SessionId, uuid7
from sojourn.service import exports
from sojourn.service.codec import INLINE_BYTES, encode
from sojourn.service.forks import NewFork
from sojourn.service.sessions import NewSession
from tests.service.exported import events, export, read
from tests.service.lives import on_random_logs
from tests.support.databases import Database
from tests.support.snapshot import read_log
from tests.support.world import SOMEBODY, World

SEEDS = 4


@pytest.mark.timeout(300)
def test_an_export_of_a_random_log_tells_all_of_it(database: Database) -> None:
    on_random_logs(database, SEEDS, lambda world, session, _: compare(world, session))


async def compare(world: World, session: SessionId) -> None:
    lines = await export(world, session)
    verifier, taken = read(lines)
    log = await read_log(world.store.reads, world.org, session)
    told = [line for line in taken if isinstance(line, ExportedEvent)]
    assert [(one.seq, one.type, one.v, one.at, one.turn) for one in told] == [
        (stored.seq, stored.type, stored.v, stored.at, stored.turn) for stored, _ in log
    ]
    for one, (_, event) in zip(told, log, strict=True):
        assert event is not None
        assert json.loads(one.data) == json.loads(encode(event))
    again, _ = read(await export(world, session))
    assert again.head == verifier.head
    at = len(log) // 2 + 1
    fork = await world.services.forks.fork(world.org, session, NewFork(at=at), SOMEBODY)
    copied = await events(world, fork.value.session.id)
    assert [one.hash for one in copied[:at]] == [one.hash for one in told[:at]]


async def test_what_is_large_is_in_the_export_and_a_content_only_once(world: World) -> None:
    session, text = await world.new_session(), "x" * (INLINE_BYTES + 1)
    await world.send(session, text)
    for path in ("a", "b/c"):
        await world.services.files.write(world.org, session, path, b"\0binary\xff")
    _, taken = read(await export(world, session))
    [received] = [one for one in taken if isinstance(one, ExportedEvent) and one.type == "input.received"]
    assert json.loads(received.data)["content"][0]["text"] == text
    [blob] = [one for one in taken if isinstance(one, ExportedBlob)]
    assert (blob.data, blob.sha256) == (b"\0binary\xff", hashlib.sha256(b"\0binary\xff").hexdigest())
    verifier, taken = read(await export(world, session, has_files=False))
    assert not [one for one in taken if isinstance(one, ExportedBlob)]
    assert verifier.head == (await events(world, session))[-1].hash


async def test_numbers_that_no_double_holds_travel_unchanged(world: World) -> None:
    numbers = {"large": 2**53 + 1, "small": 1e-7, "whole": 1.0}
    session = await world.new_session(NewSession(metadata=numbers))
    verifier, _ = read(await export(world, session))
    assert verifier.header is not None
    assert verifier.header.session["metadata"] == numbers


async def test_an_export_ends_with_the_event_that_was_the_last_when_it_began(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    session = await world.new_session()
    await world.send(session, "before")
    lines: list[bytes] = []
    async for line in await world.services.exports.open(world.org, session):
        lines.append(line)
        await world.send(session, "meanwhile")
    _, taken = read(lines)
    assert [one.seq for one in taken if isinstance(one, ExportedEvent)] == [1, 2, 3]


async def test_a_session_that_is_not_there_or_goes_meanwhile_is_not_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    with pytest.raises(NotFound):
        await world.services.exports.open(world.org, SessionId(uuid7()))
    session = await world.new_session()
    for number in range(5):
        await world.send(session, str(number))
    lines = await world.services.exports.open(world.org, session)
    await anext(lines)
    await anext(lines)
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    await world.services.upkeep.purge()
    with pytest.raises(NotFound):
        async for _ in lines:
            pass
