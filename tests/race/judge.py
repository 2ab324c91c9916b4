"""What the log says of the players' writes, against what the players were told."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from sojourn.domain.events import AskDecided, TurnStarted, TurnWaiting, UsageRecorded
from sojourn.domain.ids import DEFAULT_ORG, SessionId
from sojourn.domain.log import LogEntry
from sojourn.ports import Reads
from sojourn.service.codec import read_entry
from tests.race.witness import Witness, told_twice

# After these the claim before them has no say any more.
_ENDS = frozenset(
    {"turn.reclaimed", "turn.retried", "turn.completed", "turn.failed", "turn.cancelled", "turn.queued"}
)


async def judge(reads: Reads, sessions: Sequence[SessionId], witnesses: Sequence[Witness]) -> list[str]:
    """Each acknowledged write is in the log once, no refused one is, and each stands within its own claim."""
    written = Counter[str]()
    decided: dict[str, list[str]] = defaultdict(list)
    problems: list[str] = []
    for session in sessions:
        events = await reads.events_after(DEFAULT_ORG, session, 0, 1_000_000)
        log = [await read_entry(reads, event) for event in events]
        problems.extend(f"session {session}: {problem}" for problem in _zombies(log))
        for entry in log:
            if isinstance(entry.event, AskDecided):
                decided[str(entry.event.ask)].append(entry.event.decision)
        written.update(entry.event.source for entry in log if isinstance(entry.event, UsageRecorded))
    acknowledged = Counter(ask for witness in witnesses for ask, _ in witness.decided)
    problems.extend(
        f"ask {ask} was decided {times} times" for ask, times in acknowledged.items() if times > 1
    )
    for witness in witnesses:
        problems.extend(
            f"ask {ask} was decided as {decision}, and is {decided[ask]} in the log"
            for ask, decision in witness.decided
            if decided[ask] != [decision]
        )
        problems.extend(
            f"{word} was acknowledged, and is {written[word]} times in the log"
            for word in witness.acknowledged
            if written[word] != 1
        )
        problems.extend(f"{word} was refused, and is in the log" for word in witness.refused if written[word])
    return problems + told_twice(witnesses)


def _zombies(log: Sequence[LogEntry]) -> Iterator[str]:
    """Writes that went through although their claim was over."""
    attempt: int | None = None
    for entry in log:
        match entry.event:
            case TurnStarted():
                attempt = entry.event.attempt
            case UsageRecorded(source=source):
                if source.partition("/")[0] != str(attempt):
                    yield f"seq {entry.seq} was written by claim {source}, while {attempt or 'nobody'} held the turn"
            case TurnWaiting(mode="parked"):
                attempt = None
            case _ if entry.type in _ENDS:
                attempt = None
            case _:
                pass
