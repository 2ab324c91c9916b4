"""Does a session get slower or fatter as it gets longer, and what does a worker pay that has never seen it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.conversation import Conversation, converse
from bench.goals import COLD_FOLD, GROWTH_BYTES, GROWTH_TIME, Verdict
from bench.lab import Lab
from bench.report import Findings
from bench.sample import start_meter
from bench.scenarios.turn import TEXT
from bench.target import Target

TURNS = 500
# One turn is a noisy clock: medians of this many are compared.
WINDOW = 25
RESTARTS = 3


async def measured(conversation: Conversation) -> tuple[int, int]:
    """Nanoseconds and bytes of one turn."""
    before = conversation.event_bytes
    spent = await conversation.turn(TEXT)
    return spent, conversation.event_bytes - before


@dataclass(frozen=True, slots=True)
class Ends:
    """Medians of first and late turns: nanoseconds and bytes."""

    first: tuple[float, float]
    late: tuple[float, float]


async def both_ends(target: Target, long: Conversation) -> Ends:
    """They take turns, so that a neighbour's load falls on both."""
    late: list[tuple[int, int]] = []
    first: list[tuple[int, int]] = []
    for _ in range(WINDOW):
        late.append(await measured(long))
        short = await converse(target)
        first.append(await measured(short))
        short.close()
    return Ends(middle(first), middle(late))


def middle(rows: Sequence[tuple[int, int]]) -> tuple[float, float]:
    return median(row[0] for row in rows), median(row[1] for row in rows)


async def cold_turn_ms(lab: Lab, data: Path, session: str, after: int) -> tuple[float, float]:
    """Milliseconds of the first turn after a restart in the long session, and of a turn in a short one."""
    async with lab.sojourn(data) as target:
        other = await converse(target)
        warm = [(await measured(other))[0] for _ in range(WINDOW)]
        other.close()
        again = await converse(target, session, after)
        cold, _ = await measured(again)
        again.close()
    return cold / 1e6, median(warm) / 1e6


async def run(lab: Lab) -> Findings:
    data = lab.folder()
    async with lab.sojourn(data) as target:
        conversation = await converse(target)
        meter = await start_meter(target)
        spent = [(await measured(conversation))[0] for _ in range(TURNS - WINDOW)]
        sample = await meter.stop(f"the first {TURNS - WINDOW} turns of a session", spent)
        ends = await both_ends(target, conversation)
        conversation.close()
    events = conversation.events
    restarts = [await cold_turn_ms(lab, data, conversation.session, events) for _ in range(RESTARTS)]
    cold, warm = (median(column) for column in zip(*restarts, strict=True))
    return Findings(
        scenario="growth",
        samples=[sample],
        verdicts=[
            Verdict(goal=GROWTH_BYTES, measured=ends.late[1] / ends.first[1]),
            Verdict(goal=GROWTH_TIME, measured=ends.late[0] / ends.first[0]),
            Verdict(goal=COLD_FOLD, measured=cold - warm),
        ],
        notes=[
            (
                f"a first turn appends {ends.first[1]:.0f} bytes of events, a late one {ends.late[1]:.0f}; "
                f"medians of {WINDOW} turns, taken by turns."
            ),
            (
                f"the first turn after a restart takes {cold:.1f} ms after {events} events and {warm:.1f} ms "
                f"in a short session (medians of {RESTARTS}); the difference is called the cold fold."
            ),
        ],
    )
