import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.architecture.source import Source, parse, sources

LONGEST_FILE_LINES = 400
LONGEST_FUNCTION_LINES = 60
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\s", re.DOTALL
)
SENTENCE = re.compile(r"test(_[a-z0-9]+){3,}")


def long_files(files: Iterable[Source]) -> list[str]:
    return [f"{file.path}: {file.line_count}" for file in files if file.line_count > LONGEST_FILE_LINES]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_functions(files: Iterable[Source]) -> list[str]:
    return [
        f"{file.path}:{function.lineno} {function.name}: {length(function)}"
        for file in files
        for function in file.functions()
        if length(function) > LONGEST_FUNCTION_LINES
    ]


def unspoken_tests(files: Iterable[Source]) -> list[str]:
    return [
        f"{file.path}:{function.lineno} {function.name}"
        for file in files
        if file.path.name.startswith("test_")
        for function in file.functions()
        if function.name.startswith("test_") and not SENTENCE.fullmatch(function.name)
    ]


def prose(tree: ast.Module) -> set[ast.expr]:
    """Strings that are statements of their own: docstrings."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def text_of(node: ast.expr) -> str:
    """The text of a string literal, with a placeholder for each value that an f-string inserts."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "?" for part in parts)
        case _:
            return ""


def sql_strings(file: Source) -> Iterator[str]:
    docstrings = prose(file.tree)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.expr) and node not in docstrings and SQL.search(text_of(node)):
            yield f"{file.path}:{node.lineno}"


def sql_outside_the_store(files: Iterable[Source]) -> list[str]:
    return [where for file in files if file.package != "store" for where in sql_strings(file)]


def test_no_source_file_is_longer_than_the_cap() -> None:
    assert long_files(sources("src")) == []


def test_no_source_function_is_longer_than_the_cap() -> None:
    assert long_functions(sources("src")) == []


def test_every_test_name_is_a_sentence() -> None:
    assert unspoken_tests(sources("tests")) == []


def test_sql_text_lives_in_the_store_only() -> None:
    assert sql_outside_the_store(sources("src")) == []


def test_each_of_these_checks_finds_a_planted_fault() -> None:
    body = "def test_it():\n" + "    x = 1\n" * LONGEST_FUNCTION_LINES + 'q = f"SELECT {x} FROM t "\n'
    planted = [parse(body + "\n" * LONGEST_FILE_LINES, Path("src/sojourn/service/test_planted.py"))]
    for check in (long_files, long_functions, unspoken_tests, sql_outside_the_store):
        assert len(check(planted)) == 1, check.__name__
