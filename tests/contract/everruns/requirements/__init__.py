"""What the dialect must do, where that is written, and where Sojourn differs on purpose; a module for each area.

A test says by `covers` which of these it shows; `tests/contract/test_requirements.py` checks that none is left out.
"""

from typing import Final

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
from tests.contract.requirement import Requirement, covering

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

covers: Final = covering(REQUIREMENTS)
