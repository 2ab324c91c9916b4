"""Counts of what the process did, for benches and operators."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(slots=True)
class Counters:
    """`statements` leaves out BEGIN, COMMIT and SAVEPOINT and counts a batch of one text as one.

    An errand that fails is tried again, at the latest after ten minutes, until it is done: `errands_failed` that goes
    on growing tells of one that nobody can do, and the server's log says which.
    """

    statements: int = 0
    commits: int = 0
    verbs: int = 0
    notifications: int = 0
    errands_done: int = 0
    errands_failed: int = 0


counters = Counters()


def write_counters(path: Path) -> None:
    """Replace `path` at once, so that a reader never sees half of it."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(counters)), encoding="utf-8")
    draft.replace(path)
