"""What an agent says to its runner. Each runner's module reads that purely, and refuses what it cannot use."""

from collections.abc import Callable, Mapping
from typing import Final

from sojourn.domain.agent import AgentSpec
from sojourn.domain.kinds import Json, RunnerKind
from sojourn.domain.runner_config.http import read_http

Reader = Callable[[Mapping[str, Json]], object]

_READERS: Final[Mapping[RunnerKind, Reader]] = {"http": read_http}


def check_runner_config(spec: AgentSpec) -> None:
    """InvalidRequest, with the place below `runner_config`, unless the agent's runner can use what it says."""
    reader = _READERS.get(spec.runner)
    if reader is not None:
        reader(spec.runner_config)
