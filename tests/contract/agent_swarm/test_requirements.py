"""The manifest and the tests say the same."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.contract.agent_swarm.requirements import BY_ID, REQUIREMENTS


def shown_ids() -> Iterator[str]:
    """The ids that tests of this folder carry."""
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield from ids_of(node)


def ids_of(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="shows"), args=arguments):
                yield from (str(each.value) for each in arguments if isinstance(each, ast.Constant))
            case _:
                pass


def test_every_requirement_is_shown_and_everything_shown_is_required() -> None:
    assert set(shown_ids()) == set(BY_ID)


def test_no_requirement_is_written_twice() -> None:
    assert len(BY_ID) == len(REQUIREMENTS)
