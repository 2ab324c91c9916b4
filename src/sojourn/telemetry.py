"""Counts of what the process did, for benches and operators."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """`statements` leaves out BEGIN, COMMIT and SAVEPOINT and counts a batch of one text as one."""

    statements: int = 0
    commits: int = 0
    verbs: int = 0


counters = Counters()
