"""`python -m tests.chaos --rounds 200`: kill a server again and again, and say what it kept."""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from tests.chaos.plan import DEFECTS
from tests.chaos.round import Outcome, Scene, run_round
from tests.support.databases import fresh
from tests.support.postgres import PostgresServer

# Nobody waits for it as for a test, and the machine may have other things to do.
BOUND_SECONDS = 180.0

# What tells that the kills met something.
FACTS = (
    "turn.started",
    "turn.reclaimed",
    "turn.retried",
    "turn.completed",
    "turn.failed",
    "turn.cancelled",
    "ask.opened",
    "ask.decided",
    "message.abandoned",
    "tool.completed done",
    "tool.completed error",
    "tool.completed unknown",
    "tool.completed cancelled",
    "effects done again",
    "input.edited",
    "input.moved",
    "input.withdrawn",
    "session.forked",
    "session.rewound",
    "session.ended",
    "session.expired",
    "session.reopened",
    "session.trimmed",
    "input.received",
    "budget.exhausted",
    "provider_session.linked",
)


def line(number: int, seed: int, outcome: Outcome) -> str:
    verdict = f"{len(outcome.violations)} VIOLATIONS, see {outcome.directory}" if outcome.violations else "ok"
    return (
        f"{number:4}  seed {seed}  {outcome.starts} starts, {outcome.requests} requests, "
        f"{outcome.events} events  killed {', '.join(outcome.kills)}: {verdict}"
    )


def summary(outcomes: list[Outcome]) -> str:
    totals = {
        "rounds": len(outcomes),
        "starts": sum(outcome.starts for outcome in outcomes),
        "acknowledged requests": sum(outcome.requests for outcome in outcomes),
        "events followed": sum(outcome.events for outcome in outcomes),
        "kills": sum(len(outcome.kills) for outcome in outcomes),
    }
    kills = Counter(point for outcome in outcomes for point in outcome.kills)
    facts = sum((outcome.facts for outcome in outcomes), Counter[str]())
    lines = [f"{name}: {number}" for name, number in totals.items()]
    lines += [f"  {point:25} {number:5}" for point, number in sorted(kills.items())]
    lines += ["in the logs:", *(f"  {fact:25} {facts[fact]:5}" for fact in FACTS)]
    violations = sum(len(outcome.violations) for outcome in outcomes)
    return "\n".join([*lines, f"violations: {violations}"])


async def run(rounds: int, first_seed: int, scenes: Callable[[], AbstractContextManager[Scene]]) -> int:
    outcomes: list[Outcome] = []
    for number in range(1, rounds + 1):
        seed = first_seed + number - 1
        with scenes() as scene:
            outcome = await run_round(seed, scene)
        outcomes.append(outcome)
        print(line(number, seed, outcome), flush=True)
        for violation in outcome.violations:
            print(f"      {violation}", flush=True)
    print(summary(outcomes))
    return 1 if any(outcome.violations for outcome in outcomes) else 0


@contextmanager
def on_postgres(scene: Scene) -> Generator[Callable[[], AbstractContextManager[Scene]]]:
    """A new database for each round, of a server of its own."""
    server = PostgresServer()
    with tempfile.TemporaryDirectory() as directory:

        @contextmanager
        def scenes() -> Generator[Scene]:
            with fresh(server, "template1", Path(directory)) as database:
                yield replace(scene, postgres=database)

        yield scenes
    server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; one round is one seed")
    parser.add_argument("--postgres", action="store_true", help="over a PostgreSQL instead of SQLite")
    parser.add_argument("--servers", type=int, default=1, help="of the one PostgreSQL")
    parser.add_argument("--elsewhere", action="store_true", help="with a worker over HTTP")
    parser.add_argument("--defect", choices=DEFECTS, help="of the server, which should be found")
    options = parser.parse_args()
    if options.servers > 1 and not options.postgres:
        parser.error("several servers need --postgres")
    scene = Scene(
        servers=options.servers,
        elsewhere=options.elsewhere,
        defect=options.defect,
        bound_seconds=BOUND_SECONDS,
    )
    with on_postgres(scene) if options.postgres else nullcontext(lambda: nullcontext(scene)) as scenes:
        sys.exit(asyncio.run(run(options.rounds, options.seed, scenes)))


if __name__ == "__main__":
    main()
