"""The requirements of each dialect and its tests say the same."""

import ast
from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from tests.architecture.source import sources
from tests.contract.agent_swarm import requirements as agent_swarm
from tests.contract.agentcore import requirements as agentcore
from tests.contract.everruns import requirements as everruns
from tests.contract.kodexa import requirements as kodexa
from tests.contract.membrane import requirements as membrane
from tests.contract.requirement import Requirement

DIALECTS: Final[Mapping[str, Sequence[Requirement]]] = {
    "agent_swarm": agent_swarm.REQUIREMENTS,
    "agentcore": agentcore.REQUIREMENTS,
    "everruns": everruns.REQUIREMENTS,
    "kodexa": kodexa.REQUIREMENTS,
    "membrane": membrane.REQUIREMENTS,
}


def covered(dialect: str) -> list[str]:
    """The ids that the tests of a dialect say they show."""
    return [
        argument.value
        for file in sources(f"tests/contract/{dialect}")
        if file.path.name.startswith("test_")
        for function in file.functions()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "covers"
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_requirement_is_shown_by_a_test_and_every_shown_one_is_required(dialect: str) -> None:
    assert {requirement.id for requirement in DIALECTS[dialect]} == set(covered(dialect))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_requirement_is_written_down_twice(dialect: str) -> None:
    ids = [requirement.id for requirement in DIALECTS[dialect]]
    assert len(ids) == len(set(ids))
