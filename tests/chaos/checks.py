"""What the log, the clients and the outside must agree on once every turn has ended."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
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


async def check(
    database: SqliteDatabase | PostgresDatabase,
    done: Sequence[Effect],
    pids: Sequence[int],
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
        *not_as_acknowledged(log, witness),
        *not_as_told(log, readers),
        *done_wrongly(log, done, pids),
        *check_kin(database, log),
        *exported_wrongly(log, witness),
    ]
    return problems, log.facts


async def invariants(database: SqliteDatabase | PostgresDatabase) -> list[str]:
    if isinstance(database, PostgresDatabase):
        return await check_postgres(database.url)
    return await check_sqlite_file(database.path)


def at_rest(database: Database) -> Iterator[str]:
    """Everything that was asked for has ended."""
    restless = database.query(
        "SELECT id, activity FROM sessions WHERE activity <> 'idle' OR open_turn IS NOT NULL"
    )
    for session, activity in restless:
        yield f"session {UUID(bytes=session)} is still {activity}"


def not_as_acknowledged(log: Log, witness: Witness) -> Iterator[str]:
    sent = [done.id for done in witness.acknowledged if done.path.endswith("/inputs")]
    for input in sent:
        if log.inputs[input] != 1:
            yield f"input {input} was acknowledged and is in the log {log.inputs[input]} times"
    for done in witness.acknowledged:
        if done.path.endswith("/decide") and not _is_decided(log.decided[done.id], done.body):
            yield f"ask {done.id} was decided by {done.body}, and is {log.decided[done.id]} in the log"
    for input in log.inputs.keys() - set(sent) - log.own:
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
        if told != [(seq, type) for seq, _, type in log.events[session][: len(told)]]:
            yield f"an export of session {session} said {told}"


def not_as_told(log: Log, readers: Sequence[Reader]) -> Iterator[str]:
    for reader in readers:
        if reader.told != log.events[reader.session][: len(reader.told)]:
            yield f"a reader of session {reader.session} was told {reader.told}"


def done_wrongly(log: Log, done: Sequence[Effect], pids: Sequence[int]) -> Iterator[str]:
    by_step: dict[tuple[str, str], list[int]] = defaultdict(list)
    for effect in done:
        if effect.kind != "death":
            by_step[effect.kind, effect.key].append(effect.pid)
    for step in by_step.keys() - log.steps.keys():
        yield f"{step} was done and is not in the log"
    for key, step in log.steps.items():
        for problem in _of_step(step, by_step[key], pids):
            yield f"{key}: {problem}"


def _of_step(step: Step, done_by: list[int], pids: Sequence[int]) -> Iterator[str]:
    """No effect without its intent, none after its completion, and none twice that may not be done twice."""
    if not Counter(done_by) <= Counter(step.intents):
        yield f"done by {done_by}, announced by {step.intents}"
    if len(done_by) > 1 and step.name not in REPEATABLE and step.name != "model":
        yield f"a {step.name} was done {len(done_by)} times"
    if step.status == "done" and step.completed_by not in done_by:
        yield f"completed by {step.completed_by} and done by {done_by}"
    if step.status is None:
        return
    later = pids[pids.index(step.completed_by) + 1 :]
    if again := [pid for pid in done_by if pid in later]:
        yield f"completed by {step.completed_by} and done again by {again}"
