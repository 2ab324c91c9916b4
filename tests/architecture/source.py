"""The repository's own Python files, parsed once for the checks of this folder."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One file: its path from the repository's root, its lines and its syntax tree."""

    path: Path
    line_count: int
    tree: ast.Module

    @property
    def package(self) -> str:
        """The part of `sojourn` it belongs to: `store` for src/sojourn/store/…, `ports` for src/sojourn/ports/…."""
        return self.path.with_suffix("").parts[2]

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, type_of_function))


def parse(text: str, path: Path) -> Source:
    return Source(path, len(text.splitlines()), ast.parse(text))


@cache
def sources(folder: str) -> tuple[Source, ...]:
    """Every Python file under a folder of the repository."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return tuple(parse(path.read_text(), path.relative_to(ROOT)) for path in paths)
