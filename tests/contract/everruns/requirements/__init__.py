"""What the dialect must do, where that is written, and where Sojourn differs on purpose; a module for each area.

A test says by `covers` which of these it shows; `test_requirements.py` checks that none is left out.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from tests.contract.everruns.requirements import (
    agents,
    answers,
    budgets,
    channels,
    events,
    messages,
    sessions,
    workspaces,
)
from tests.contract.everruns.requirements.requirement import Requirement

T = TypeVar("T", bound=Callable[..., object])

REQUIREMENTS: Final[tuple[Requirement, ...]] = (
    *sessions.REQUIREMENTS,
    *messages.REQUIREMENTS,
    *events.REQUIREMENTS,
    *agents.REQUIREMENTS,
    *answers.REQUIREMENTS,
    *budgets.REQUIREMENTS,
    *channels.REQUIREMENTS,
    *workspaces.REQUIREMENTS,
)

IDS: Final = frozenset(requirement.id for requirement in REQUIREMENTS)


def covers(*ids: str) -> Callable[[T], T]:
    """Marks a test as one that shows these requirements."""
    unknown = set(ids) - IDS
    assert not unknown, f"no such requirements: {unknown}"
    return lambda test: test
