"""Where a server is killed, and in which way a deliberately broken one is wrong."""

import os
import signal
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, get_args

# while_starting  any of the others, before the server listens
# before_commit   a verb has run, its transaction is not committed
# before_publish  the commit is durable, and nobody was told of it
# before_answer   its followers were told, its caller was not
# before_call     the intent of a model call is in the log, the call has not begun
# mid_stream      a piece of the model's answer is out
# before_effect   a tool runs and has done nothing yet
# after_effect    a tool has done its work and not returned
# between_tools   a tool has done its work while others of the same answer still run
# before_decision an ask's decision is about to be committed
# before_errand   what one session leaves to be done to another is done, and about to be committed
# after_errand    it is committed, and nobody knows
# before_cut      policy cuts the log of an ended session or removes the session, and that is about to be committed
# before_purge    a piece of what was cut or deleted is removed, and that is about to be committed
Point = Literal[
    "while_starting",
    "before_commit",
    "before_publish",
    "before_answer",
    "before_call",
    "mid_stream",
    "before_effect",
    "after_effect",
    "between_tools",
    "before_decision",
    "before_errand",
    "after_errand",
    "before_cut",
    "before_purge",
]
POINTS: Final[tuple[Point, ...]] = get_args(Point)

# early_answer    a request is answered, and what it wrote is lost
# early_publish   followers are told of a commit that does not come
# reruns          tools that may not be run again are
# forgets_keys    what a restarted server knows of answered requests is gone
# early_settle    an errand is marked as done before it is done
# told_twice      a parent is told again of the end of a session below, whatever it knows
# unleashed       the program of an agent outlives its server
# cuts_running    retention cuts the log of a session whose turn is under way
# unfenced        a worker is never told that its turn is another's by now, and what it writes is let in
# keeps_cut       what retention has cut from a log stays for ever
Defect = Literal[
    "early_answer",
    "early_publish",
    "reruns",
    "forgets_keys",
    "early_settle",
    "told_twice",
    "unleashed",
    "cuts_running",
    "unfenced",
    "keeps_cut",
]

DEFECTS: Final[tuple[Defect, ...]] = get_args(Defect)

KILL_VARIABLE: Final = "CHAOS_KILL"
DEFECT_VARIABLE: Final = "CHAOS_DEFECT"


def defect_named(name: str) -> Defect | None:
    return next((defect for defect in DEFECTS if defect == name), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """The process kills itself, or falls asleep, at the `number`-th time that it comes to `point`."""

    point: Point
    number: int
    asleep: bool = False

    def __str__(self) -> str:
        return f"{self.point}:{self.number}:{'sleep' if self.asleep else 'die'}"


class Killer:
    """Counts how often the process came to each point, from when it `listens`."""

    def __init__(self, plan: Plan | None) -> None:
        self.listens = False
        self._plan = plan
        self._counts = Counter[str]()

    @classmethod
    def of_environment(cls) -> "Killer":
        text = os.environ.get(KILL_VARIABLE)
        if not text:
            return cls(None)
        name, number, action = text.split(":")
        return cls(Plan(next(point for point in POINTS if point == name), int(number), action == "sleep"))

    def is_due(self, point: Point) -> bool:
        at = point if self.listens else "while_starting"
        self._counts[at] += 1
        plan = self._plan
        return plan is not None and (plan.point, plan.number) == (at, self._counts[at])

    def hit(self, point: Point) -> None:
        if self.is_due(point):
            self.kill()

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP if self._plan and self._plan.asleep else signal.SIGKILL)
