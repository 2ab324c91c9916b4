"""The picture of a turn's statuses: where each stands is chosen here, every arrow comes from the table of moves."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sojourn.domain.turn import TRANSITIONS, Move, TurnStatus

WIDTH: Final = 900
HEIGHT: Final = 530
NODE_WIDTH: Final = 108
NODE_HEIGHT: Final = 40

S = TurnStatus

# The centre of each status. A status without a place fails the build.
PLACES: Final[Mapping[TurnStatus, tuple[int, int]]] = {
    S.QUEUED: (100, 230),
    S.STARTING: (330, 110),
    S.RUNNING: (560, 230),
    S.RETRYING: (330, 330),
    S.WAITING: (560, 400),
    S.COMPLETED: (820, 230),
    S.FAILED: (820, 330),
    S.CANCELLED: (820, 486),
}
# How far an arrow bows to the left of its direction, where it does not just make room for its opposite.
BOWS: Final[Mapping[tuple[TurnStatus, TurnStatus], int]] = {(S.WAITING, S.QUEUED): 88}
PAIR_BOW: Final = 30
# How far along an arrow its label stands: opposite ones carry theirs near their starts.
LABEL_AT: Final[Mapping[tuple[TurnStatus, TurnStatus], float]] = {(S.QUEUED, S.RUNNING): 0.7}
PAIR_LABEL_AT: Final = 0.33
# The statuses whose arrow to themselves is drawn below; the others have it above.
LOOPS_BELOW: Final = frozenset({S.WAITING})


@dataclass(frozen=True)
class Frame:
    """A box around statuses. A move that leads from all of them, and from no other, to one status starts at the box."""

    statuses: frozenset[TurnStatus]
    left: int
    top: int
    right: int
    bottom: int


OPEN: Final = frozenset(status for status in TurnStatus if status.is_open)
FRAMES: Final = (
    Frame(OPEN, 24, 30, 676, 506),
    Frame(OPEN - {S.QUEUED}, 236, 58, 654, 472),
)


@dataclass(frozen=True)
class Node:
    status: TurnStatus
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    """`path` is SVG path data, `x` and `y` the place of the label's middle."""

    path: str
    label: str
    x: float
    y: float


def draw() -> str:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    nodes = [Node(status, *PLACES[status]) for status in TurnStatus]
    return templates.get_template("turn-states.svg.jinja").render(
        width=WIDTH,
        height=HEIGHT,
        node_width=NODE_WIDTH,
        node_height=NODE_HEIGHT,
        nodes=nodes,
        frames=FRAMES,
        arrows=list(arrows()),
    )


def arrows() -> Iterable[Arrow]:
    """Every transition of the table, once: from its frame where a whole frame has it, else from its status."""
    sources: dict[tuple[Move, TurnStatus], set[TurnStatus]] = defaultdict(set)
    for (before, move), after in TRANSITIONS.items():
        sources[move, after].add(before)
    labels: dict[tuple[TurnStatus, TurnStatus], list[Move]] = defaultdict(list)
    for (move, after), origins in sources.items():
        frame = next((frame for frame in FRAMES if frame.statuses == frozenset(origins)), None)
        if frame is not None:
            yield _from_frame(frame, after, move)
            continue
        for before in origins:
            labels[before, after].append(move)
    for (before, after), moves in sorted(labels.items()):
        label = ", ".join(sorted(moves))
        yield _loop(before, label) if before is after else _between(before, after, label, labels.keys())


def _from_frame(frame: Frame, after: TurnStatus, label: str) -> Arrow:
    x, y = PLACES[after]
    end = x - NODE_WIDTH / 2
    return Arrow(f"M {frame.right} {y} L {end:.0f} {y}", label, (frame.right + end) / 2, y - 6)


def _loop(status: TurnStatus, label: str) -> Arrow:
    x, y = PLACES[status]
    side = 1 if status in LOOPS_BELOW else -1
    near, far = y + side * NODE_HEIGHT // 2, y + side * (NODE_HEIGHT // 2 + 34)
    path = f"M {x + 8} {near} C {x + 14} {far} {x + 46} {far} {x + 40} {near}"
    return Arrow(path, label, x + 27, far + 6)


def _between(
    before: TurnStatus, after: TurnStatus, label: str, drawn: Iterable[tuple[TurnStatus, TurnStatus]]
) -> Arrow:
    (x1, y1), (x2, y2) = PLACES[before], PLACES[after]
    is_pair = (after, before) in drawn
    bow = BOWS.get((before, after), PAIR_BOW if is_pair else 0)
    length = math.hypot(x2 - x1, y2 - y1)
    # The control point of a quadratic curve lies twice as far out as the curve itself.
    control = (
        (x1 + x2) / 2 + 2 * bow * (y2 - y1) / length,
        (y1 + y2) / 2 - 2 * bow * (x2 - x1) / length,
    )
    start, end = _edge((x1, y1), control), _edge((x2, y2), control)
    path = f"M {start[0]:.0f} {start[1]:.0f} Q {control[0]:.0f} {control[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
    at = LABEL_AT.get((before, after), PAIR_LABEL_AT if is_pair else 0.5)
    x, y = (
        (1 - at) ** 2 * a + 2 * at * (1 - at) * b + at**2 * c
        for a, b, c in zip(start, control, end, strict=True)
    )
    return Arrow(path, label, x, y + 4)


def _edge(centre: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    """Where the line from a node's centre leaves the node."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    reach = min(
        NODE_WIDTH / 2 / abs(dx) if dx else math.inf,
        NODE_HEIGHT / 2 / abs(dy) if dy else math.inf,
    )
    return centre[0] + dx * reach, centre[1] + dy * reach
