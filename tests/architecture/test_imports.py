import ast
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT, Source, parse, sources

HOMES = {
    # database drivers stay in the store
    "aiosql": {"store"},
    "asyncpg": {"store"},
    "Cryptodome": {"store", "web"},
    "sqlite3": {"store"},
    # web libraries stay in the web; the composition root and the commands start the server
    "starlette": {"web"},
    "jinja2": {"web"},
    "jwt": {"web"},
    "uvicorn": {"cli", "testing", "web", "wiring"},
    "uvloop": {"cli", "testing", "wiring"},
    # terminal libraries stay in the commands
    "click": {"cli"},
    "rich": {"cli"},
    # what a runner drives stays in the runners
    "acp": {"runners"},
    "genai_prices": {"runners"},
    "pydantic_ai": {"runners"},
    "xllamacpp": {"runners"},
    "opentelemetry": {"telemetry"},
    # the client is used from the outside only; a worker elsewhere is outside
    "sojourn.client": {"cli", "client", "testing", "wiring", "worker"},
}


def imported_names(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names):
            return [module, *(f"{module}.{alias.name}" for alias in names)]
        case _:
            return []


def imports(file: Source) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported anywhere in the file."""
    for node in ast.walk(file.tree):
        for name in imported_names(node):
            yield getattr(node, "lineno", 0), name


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def foreign_imports_of_the_domain(files: Iterable[Source]) -> list[str]:
    return [
        f"{file.path}:{line} {name}"
        for file in files
        if file.package == "domain"
        for line, name in imports(file)
        if name.partition(".")[0] not in sys.stdlib_module_names and not is_within(name, "sojourn.domain")
    ]


def imports_away_from_home(files: Iterable[Source]) -> list[str]:
    return [
        f"{file.path}:{line} {package}"
        for file in files
        for line, name in imports(file)
        for package, homes in HOMES.items()
        if is_within(name, package) and file.package not in homes
    ]


@cache
def declared_distributions() -> frozenset[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups: list[list[str]] = [project["dependencies"], *project["optional-dependencies"].values()]
    return frozenset(canonicalize_name(Requirement(text).name) for group in groups for text in group)


def undeclared_imports(files: Iterable[Source]) -> list[str]:
    distributions = packages_distributions()
    return [
        f"{file.path}:{line} {name}"
        for file in files
        for line, name in imports(file)
        if (top := name.partition(".")[0]) not in sys.stdlib_module_names | {"sojourn"}
        and not {canonicalize_name(found) for found in distributions.get(top, [])} & declared_distributions()
    ]


def test_the_domain_imports_only_the_standard_library() -> None:
    assert foreign_imports_of_the_domain(sources("src")) == []


def test_each_library_is_imported_only_where_it_belongs() -> None:
    assert imports_away_from_home(sources("src")) == []


def test_every_library_that_is_imported_is_declared() -> None:
    assert undeclared_imports(sources("src")) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (foreign_imports_of_the_domain, "import msgspec"),
        (imports_away_from_home, "from sojourn import client"),
        (undeclared_imports, "def f():\n    import pydantic"),
    ],
)
def test_each_import_check_finds_a_planted_fault(
    check: Callable[[list[Source]], list[str]], text: str
) -> None:
    assert len(check([parse(text, Path("src/sojourn/domain/planted.py"))])) == 1
