"""What the log, the clients and the outside must agree on once every turn has ended."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.export import ExportedEvent
from sojourn.domain.verifier import Verifier
from tests.chaos.client import Reader, Witness
from tests.chaos.kin_checks import check_kin
from tests.chaos.log import Log, Step, read_log
from tests.chaos.outside import Effect
from tests.chaos.tools import REPEATABLE
from tests.support.databases import Database, PostgresDatabase, SqliteDatabase
from tests.support.invariants import check_postgres, check_sqlite_file

LEFT_BEHIND: Final = """
SELECT e.session, e.seq FROM events e LEFT JOIN sessions s ON s.org = e.org AND s.id = e.session
WHERE s.id IS NULL OR e.seq < s.first_seq
"""


async def check(
    database: SqliteDatabase | PostgresDatabase,
    done: Sequence[Effect],
    witness: Witness,
    readers: Sequence[Reader],
) -> tuple[list[str], Counter[str]]:
    """Everything that is wrong, one sentence each, and the log's facts."""
    log = read_log(database)
    log.facts["effects done again"] = len(done) - len({(effect.kind, effect.key) for effect in done})
    problems = [
        *witness.violations,
        *await invariants(database),
        *at_rest(database),
        *left_behind(database),
        *not_as_acknowledged(log, witness),
        *not_as_told(log, readers),
        *done_wrongly(log, done),
        *check_kin(database, log),
        *exported_wrongly(log, witness),
    ]
    return problems, log.facts


async def invariants(database: SqliteDatabase | PostgresDatabase) -> list[str]:
    if isinstance(database, PostgresDatabase):
        return await check_postgres(database.url, keeps_purged=True)
    return await check_sqlite_file(database.path, keeps_purged=True)


def at_rest(database: Database) -> Iterator[str]:
    """Everything that was asked for has ended."""
    restless = database.query(
        "SELECT id, activity FROM sessions WHERE activity <> 'idle' OR open_turn IS NOT NULL"
    )
    for session, activity in restless:
        yield f"session {UUID(bytes=session)} is still {activity}"


def left_behind(database: Database) -> Iterator[str]:
    """What was cut off a log is removed, and what is no session's any more."""
    for session, seq in database.query(LEFT_BEHIND):
        yield f"seq {seq} of session {UUID(bytes=session)} is there, and nobody can reach it"


def not_as_acknowledged(log: Log, witness: Witness) -> Iterator[str]:
    sent = [done.id for done in witness.acknowledged if done.path.endswith("/inputs")]
    for input in sent:
        if log.inputs[input] != 1:
            yield f"input {input} was acknowledged and is in the log {log.inputs[input]} times"
    for done in witness.acknowledged:
        if done.path.endswith("/decide") and not _is_decided(log.decided[done.id], done.body):
            yield f"ask {done.id} was decided by {done.body}, and is {log.decided[done.id]} in the log"
    # Who asks again about a session that is gone by then is not told of the input that it got before.
    untold = {input for session in witness.leaving for input in log.received[session]}
    for input in log.inputs.keys() - set(sent) - log.own - untold:
        yield f"input {input} is in the log, and the request that made it was answered with another"
    yield from _not_as_changed(log, witness)


def _not_as_changed(log: Log, witness: Witness) -> Iterator[str]:
    for input in witness.withdrawn:
        if log.withdrawn[input] != 1 or log.delivered[input]:
            yield f"input {input} was withdrawn, and the log says {log.withdrawn[input]} times, and delivers it"
    for input, texts in log.delivered.items():
        if len(texts) > 1:
            yield f"input {input} was delivered {len(texts)} times"
        if input in witness.edited and texts[:1] not in ([], [witness.edited[input]]):
            yield f"input {input} was edited, and delivered as {texts}"


def _is_decided(decisions: Sequence[tuple[str, Any]], body: dict[str, Any]) -> bool:
    """Once, and with that answer; of a program's ask `always` is a part of it."""
    if len(decisions) != 1 or decisions[0][0] != body["decision"]:
        return False
    answer = decisions[0][1]
    return "answer" not in body or answer == body["answer"]


def exported_wrongly(log: Log, witness: Witness) -> Iterator[str]:
    """An export holds together, and says what the log says, then and now."""
    for session, data in witness.exports:
        verifier, told = Verifier(), list[tuple[int, str]]()
        try:
            for line in data.splitlines(keepends=True):
                taken = verifier.take(line)
                if isinstance(taken, ExportedEvent):
                    told.append((taken.seq, taken.type))
            verifier.end()
        except InvalidRequest as error:
            yield f"an export of session {session} is broken: {error}"
        first_seq = told[0][0] if told else 1
        kept = [(seq, type) for seq, _, type in log.events[session] if seq >= first_seq]
        if told != kept[: len(told)]:
            yield f"an export of session {session} said {told}"


def not_as_told(log: Log, readers: Sequence[Reader]) -> Iterator[str]:
    """Event for event, and what was left out was said to be gone."""
    for reader in readers:
        by_seq = {event[0]: event for event in log.events[reader.session]}
        if any(by_seq.get(told[0]) != told for told in reader.told):
            yield f"a reader of session {reader.session} was told {reader.told}"
        for before, seq in pairwise([0, *(told[0] for told in reader.told)]):
            if seq != before + 1 and not (seq in reader.gaps and seq > before):
                yield f"a reader of session {reader.session} was told {seq} after {before}"


def done_wrongly(log: Log, done: Sequence[Effect]) -> Iterator[str]:
    by_step: dict[tuple[str, str], list[int]] = defaultdict(list)
    for effect in done:
        if effect.kind != "death":
            by_step[effect.kind, effect.key].append(effect.pid)
    for step in by_step.keys() - log.steps.keys():
        yield f"{step} was done and is not in the log"
    for key, step in log.steps.items():
        for problem in _of_step(step, by_step[key]):
            yield f"{key}: {problem}"


def _of_step(step: Step, done_by: list[int]) -> Iterator[str]:
    """No effect without its intent, none after its completion, and none twice that may not be done twice."""
    if not Counter(done_by) <= Counter(step.intents):
        yield f"done by {done_by}, announced by {step.intents}"
    if len(done_by) > 1 and step.name not in REPEATABLE and step.name != "model":
        yield f"a {step.name} was done {len(done_by)} times"
    if step.status == "done" and step.completed_by not in done_by:
        yield f"completed by {step.completed_by} and done by {done_by}"
    if step.again:
        yield f"completed by {step.completed_by} and announced again by {step.again}"
