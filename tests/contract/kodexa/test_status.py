"""The status that is shown, what writing one does, and how sessions expire."""

from datetime import timedelta
from uuid import UUID

import pytest

from sojourn.domain.ids import SessionId
from sojourn.domain.policy import Policy
from sojourn.domain.session import Activity, SessionStatus
from sojourn.service.sessions import NewSession
from tests.contract.kodexa.requirements import covers
from tests.contract.kodexa.surface import Kodexa
from tests.support.reach import Reach, drive, end, finish, nothing, queue, retry, start, wait

# How a state is reached, its word for a session that was made elsewhere, and the agent that gets it there.
STATES: list[tuple[Reach, str, str | None]] = [
    (nothing, "PENDING", None),
    (queue, "PENDING", None),
    (start, "ACTIVE", None),
    (start, "PENDING", "spawning"),
    (retry, "PENDING", None),
    (wait, "IDLE", None),
    (finish, "IDLE", None),
    (drive, "ACTIVE", None),
    (end("completed"), "TERMINATED", None),
    (end("failed"), "FAILED", None),
    (end("cancelled"), "TERMINATED", None),
    (end("expired"), "EXPIRED", None),
]


@covers("status.table", "shared.natively")
async def test_every_state_has_its_word_and_filters_and_sorts_see_it(kodexa: Kodexa) -> None:
    world = kodexa.world
    expected: dict[str, str] = {}
    reached: set[SessionStatus | Activity] = set()
    for reach, word, agent in STATES:
        elsewhere = await world.new_session(NewSession(agent=agent, policy=Policy(max_lifetime_seconds=9)))
        await reach(world, elsewhere)
        expected[str(elsewhere)] = word
        session = (await world.record(elsewhere)).session
        reached |= {session.status, session.activity}
        here = await kodexa.make()
        await reach(world, SessionId(UUID(here["id"])))
        # The default agent has no runner that starts something first.
        expected[here["id"]] = "ACTIVE" if agent or reach is nothing else word
    assert reached == {*SessionStatus, *Activity}
    shown = {id: (await kodexa.get(id))["status"] for id in expected}
    assert shown == expected
    for word in set(expected.values()):
        page = await kodexa.page(filter=f"status=='{word}'", pageSize=100)
        assert {session["id"] for session in page["content"]} == {
            id for id in expected if expected[id] == word
        }
        assert {session["status"] for session in page["content"]} == {word}
    words = [session["status"] for session in (await kodexa.page(sort="status", pageSize=100))["content"]]
    assert words == sorted(expected.values())


@covers("status.free-text", "status.until-change", "status.default")
async def test_a_written_status_stands_until_the_sessions_own_state_changes(kodexa: Kodexa) -> None:
    world = kodexa.world
    made = await kodexa.make(status="in review ✓")
    session = SessionId(UUID(made["id"]))
    assert await kodexa.page(filter="status=='in review ✓'") == await kodexa.page()
    assert (await kodexa.put(made["id"], made | {"status": "BLOCKED"}))["status"] == "BLOCKED"
    await world.send(session)
    assert (await kodexa.get(made["id"]))["status"] == "PENDING"
    turn = await world.claim(session)
    thinking = await kodexa.put(made["id"], {"status": "THINKING"})
    await world.services.turns.append(turn, [])
    assert (await kodexa.get(made["id"]))["status"] == thinking["status"] == "THINKING"
    await world.services.turns.settle(turn, [])
    assert (await kodexa.get(made["id"]))["status"] == "IDLE"
    assert (await kodexa.page(filter="status=in=('THINKING','BLOCKED')"))["content"] == []


@covers("status.ends")
@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("TERMINATED", SessionStatus.COMPLETED),
        ("FAILED", SessionStatus.FAILED),
        ("EXPIRED", SessionStatus.EXPIRED),
    ],
)
async def test_writing_an_end_ends_the_session_and_its_turn(
    kodexa: Kodexa, word: str, status: SessionStatus
) -> None:
    made = await kodexa.make()
    await start(kodexa.world, SessionId(UUID(made["id"])))
    ended = await kodexa.put(made["id"], made | {"status": word})
    assert (ended["status"], ended["changeSequence"]) == (word, 1)
    record = await kodexa.record(made["id"])
    assert (record.session.status, record.session.open_turn) == (status, None)
    assert record.session.ended_at == kodexa.world.clock.now()
    again = await kodexa.put(made["id"], ended | {"status": "TERMINATED"})
    assert again["status"] == "TERMINATED"
    assert (await kodexa.record(made["id"])).session.status is status
    assert await kodexa.world.problems() == []


@covers("status.ends")
@pytest.mark.parametrize("word", ["terminated", "Failed", " EXPIRED", "COMPLETED", "CANCELLED", ""])
async def test_no_other_word_ends_a_session(kodexa: Kodexa, word: str) -> None:
    made = await kodexa.make()
    assert (await kodexa.put(made["id"], {"status": word}))["status"] == (word or "ACTIVE")
    assert (await kodexa.record(made["id"])).session.status is SessionStatus.OPEN


@covers("update.stale")
async def test_a_stale_update_ends_nothing(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    await kodexa.put(made["id"], made)
    await kodexa.refused(409, "PUT", f"/{made['id']}", json=made | {"status": "TERMINATED"})
    assert (await kodexa.record(made["id"])).session.status is SessionStatus.OPEN


@covers("status.until-change")
async def test_a_message_reopens_an_ended_session(kodexa: Kodexa) -> None:
    made = await kodexa.make(status="TERMINATED")
    assert (await kodexa.record(made["id"])).session.status is SessionStatus.OPEN
    await kodexa.put(made["id"], {"status": "TERMINATED"})
    await finish(kodexa.world, SessionId(UUID(made["id"])))
    read = await kodexa.get(made["id"])
    assert (read["status"], read["lastInvokedAt"]) == ("IDLE", "2030-01-01T00:00:00.000Z")


def stamp(kodexa: Kodexa, seconds: float) -> str:
    return (kodexa.world.clock.now() + timedelta(seconds=seconds)).isoformat()


async def pass_time(kodexa: Kodexa, seconds: float) -> None:
    kodexa.world.clock.advance(seconds)
    await kodexa.world.services.upkeep.tick()


@covers("expiry.given", "expiry.none")
async def test_a_session_ends_when_its_expiry_passes_wherever_it_was_moved(kodexa: Kodexa) -> None:
    ends = await kodexa.make(expiresAt=stamp(kodexa, 60), status="MINE")
    moved = await kodexa.make(expiresAt=stamp(kodexa, 60))
    freed = await kodexa.make(expiresAt=stamp(kodexa, 60))
    later = await kodexa.make()
    await kodexa.put(moved["id"], moved | {"expiresAt": stamp(kodexa, 120)})
    await kodexa.put(freed["id"], freed | {"expiresAt": None})
    await kodexa.put(later["id"], later | {"expiresAt": stamp(kodexa, 30)})
    await pass_time(kodexa, 61)

    async def statuses() -> list[str]:
        return [(await kodexa.get(each["id"]))["status"] for each in (ends, moved, freed, later)]

    assert await statuses() == ["EXPIRED", "ACTIVE", "ACTIVE", "EXPIRED"]
    await pass_time(kodexa, 61)
    assert await statuses() == ["EXPIRED", "EXPIRED", "ACTIVE", "EXPIRED"]
    assert (await kodexa.get(ends["id"]))["expiresAt"] == ends["expiresAt"]
    assert (await kodexa.page(filter="status=='MINE'"))["content"] == []


@covers("expiry.invoked")
async def test_an_invocation_that_a_client_reports_keeps_a_session_from_its_idle_limit(
    kodexa: Kodexa,
) -> None:
    idle = NewSession(policy=Policy(idle_timeout_seconds=60))
    kept, left = [str(await kodexa.world.new_session(idle)) for _ in range(2)]
    read = await kodexa.get(kept)
    assert read["expiresAt"] is None
    kodexa.world.clock.advance(50)
    put = await kodexa.put(kept, read | {"lastInvokedAt": stamp(kodexa, 0)})
    assert put["lastInvokedAt"] == "2030-01-01T00:00:50.000Z"
    assert (await kodexa.record(kept)).expires_at == kodexa.world.clock.now() + timedelta(seconds=60)
    await pass_time(kodexa, 20)
    assert [(await kodexa.get(id))["status"] for id in (kept, left)] == ["PENDING", "EXPIRED"]
    await pass_time(kodexa, 60)
    assert (await kodexa.get(kept))["status"] == "EXPIRED"


@covers("invoked.last")
async def test_the_end_of_a_session_is_no_invocation(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    await finish(kodexa.world, SessionId(UUID(made["id"])))
    kodexa.world.clock.advance(5)
    read = await kodexa.get(made["id"])
    ended = await kodexa.put(made["id"], read | {"status": "TERMINATED"})
    assert ended["status"] == "TERMINATED"
    assert ended["lastInvokedAt"] == read["lastInvokedAt"] == "2030-01-01T00:00:00.000Z"


@covers("expiry.invoked")
async def test_what_a_client_read_and_sends_back_holds_no_later_invocation_back(kodexa: Kodexa) -> None:
    made = await kodexa.make(lastInvokedAt=stamp(kodexa, -9))
    session = SessionId(UUID(made["id"]))
    await finish(kodexa.world, session)
    await kodexa.put(made["id"], await kodexa.get(made["id"]))
    kodexa.world.clock.advance(5)
    await finish(kodexa.world, session)
    read = await kodexa.get(made["id"])
    assert read["lastInvokedAt"] == "2030-01-01T00:00:05.000Z"
    assert await kodexa.page(filter="lastInvokedAt=='2030-01-01T00:00:05Z'") == await kodexa.page()
