"""Harnesses: what Everruns runs an agent in is what we call its runner. They are built in, and the same everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sojourn.domain.errors import NotFound
from sojourn.domain.kinds import RunnerKind


@dataclass(frozen=True, slots=True)
class Harness:
    id: UUID
    name: str
    title: str
    description: str


HARNESSES: Final[Mapping[RunnerKind, Harness]] = {
    "model": Harness(
        UUID(int=1), "generic", "Generic", "Calls a model and its tools until the model is done."
    ),
    "acp": Harness(
        UUID(int=2), "acp", "Coding agent", "Runs a command line agent that speaks the Agent Client Protocol."
    ),
    "http": Harness(UUID(int=3), "http", "Container", "Asks an agent behind HTTP for each turn."),
    "external": Harness(
        UUID(int=4), "external", "External", "Waits for a worker of somebody else's to run each turn."
    ),
}
# Where nothing is said of it.
DEFAULT_NAME: Final = "default"
DEFAULT: Final[RunnerKind] = "model"


def harness_of(runner: RunnerKind) -> UUID:
    return HARNESSES[runner].id


def runner_of_id(id: UUID) -> RunnerKind:
    for runner, harness in HARNESSES.items():
        if harness.id == id:
            return runner
    raise NotFound("harness", id)


def runner_of_name(name: str) -> RunnerKind:
    for runner, harness in HARNESSES.items():
        if name == harness.name or (name == DEFAULT_NAME and runner == DEFAULT):
            return runner
    raise NotFound("harness", name)
