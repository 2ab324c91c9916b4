"""Does a session get slower or fatter as it gets longer, and what does a worker pay that has never seen it?"""

from statistics import median

from bench.conversation import Conversation, converse
from bench.goals import COLD_FOLD, GROWTH_BYTES, GROWTH_TIME, Verdict
from bench.lab import Lab
from bench.report import Findings
from bench.sample import start_meter
from bench.scenarios.turn import TEXT

TURNS = 500
# One turn is a noisy clock: the ends of the run are compared by the medians of this many.
WINDOW = 25


async def grow(conversation: Conversation, turns: int) -> tuple[list[int], list[int]]:
    """Nanoseconds and bytes of each turn."""
    spent: list[int] = []
    sizes: list[int] = []
    for _ in range(turns):
        before = conversation.event_bytes
        spent.append(await conversation.turn(TEXT))
        sizes.append(conversation.event_bytes - before)
    return spent, sizes


async def run(lab: Lab) -> Findings:
    data = lab.folder()
    async with lab.sojourn(data) as target:
        other = await converse(target)
        await grow(other, WINDOW)
        other.close()
        conversation = await converse(target)
        meter = await start_meter(target)
        spent, sizes = await grow(conversation, TURNS)
        sample = await meter.stop(f"{TURNS} turns of one session", spent)
        conversation.close()
    async with lab.sojourn(data) as target:
        other = await converse(target)
        warm, _ = await grow(other, WINDOW)
        other.close()
        again = await converse(target, conversation.session, conversation.events)
        cold = await again.turn(TEXT)
        again.close()
    fold_ms = (cold - median(warm)) / 1e6
    return Findings(
        scenario="growth",
        samples=[sample],
        verdicts=[
            Verdict(goal=GROWTH_BYTES, measured=median(sizes[-WINDOW:]) / median(sizes[:WINDOW])),
            Verdict(goal=GROWTH_TIME, measured=median(spent[-WINDOW:]) / median(spent[:WINDOW])),
            Verdict(goal=COLD_FOLD, measured=fold_ms),
        ],
        notes=[
            (
                f"turn 1 appends {sizes[0]} bytes of events, turn {TURNS} {sizes[-1]}; "
                f"medians of {WINDOW} turns at either end are compared."
            ),
            (
                f"the first turn after a restart takes {cold / 1e6:.2f} ms after {conversation.events} events "
                f"and {median(warm) / 1e6:.2f} ms in a short session; the difference is called the cold fold."
            ),
        ],
    )
