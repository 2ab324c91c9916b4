"""Harnesses: what Everruns runs an agent in is what we call its runner. They are built in, and the same everywhere."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sojourn.domain.events import RunnerKind

HARNESSES: Final[Mapping[RunnerKind, UUID]] = {
    kind: UUID(int=number) for number, kind in enumerate(("model", "acp", "http", "external"), start=1)
}


def harness_of(runner: RunnerKind) -> UUID:
    return HARNESSES[runner]
