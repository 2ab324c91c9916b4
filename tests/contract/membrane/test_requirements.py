import ast

from tests.architecture.source import sources
from tests.contract.membrane.requirements import REQUIREMENTS


def covered() -> list[str]:
    """The ids that the tests of this folder say they show."""
    return [
        argument.value
        for file in sources("tests/contract/membrane")
        if file.path.name.startswith("test_")
        for function in file.functions()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "covers"
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def test_every_requirement_is_shown_by_a_test() -> None:
    assert {requirement.id for requirement in REQUIREMENTS} == set(covered())


def test_no_requirement_is_written_down_twice() -> None:
    ids = [requirement.id for requirement in REQUIREMENTS]
    assert len(ids) == len(set(ids))
