"""The little that the verbs need of a driver, and the SQL texts under their names."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, cast

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter

from sojourn.store.rows import Params, Row
from sojourn.store.where import Dialect

_SQL: Final = Path(__file__).parent / "sql"


class Db(Protocol):
    """Runs the texts by name. SQLite's methods never suspend; Postgres' do."""

    dialect: Dialect

    async def one(self, name: str, params: Params) -> Row | None: ...
    async def all(self, name: str, params: Params) -> Sequence[Row]: ...
    async def run(self, name: str, params: Params) -> int:
        """How many rows it changed."""
        ...

    async def many(self, name: str, params: Sequence[Params]) -> None: ...
    async def select(self, text: str, values: Sequence[object]) -> Sequence[Row]:
        """A composed query, with numbered placeholders."""
        ...


# aiosql's own annotations leave these half unknown.
_from_path: Final = cast(Callable[..., Any], getattr(aiosql, "from_path"))  # noqa: B009


# The files do not change while the program runs, and parsing them takes longer than opening a database does.
@cache
def load_sqlite() -> Mapping[str, str]:
    """The texts by name, with `:name` placeholders."""
    texts: dict[str, str] = {}
    for path in _files("sqlite"):
        queries = _from_path(path, "sqlite3", mandatory_parameters=False)
        texts |= {name: getattr(queries, name).sql for name in _names(queries)}
    return texts


@cache
def load_postgres() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """The texts by name, with `$n` placeholders, and the parameter that each stands for."""
    texts: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path in _files("postgres"):
        adapter: Any = AsyncPGAdapter()
        queries = _from_path(path, _always(adapter), mandatory_parameters=False)
        for name in _names(queries):
            texts[name] = (getattr(queries, name).sql, tuple(adapter.var_sorted[name]))
    return texts


def _always(adapter: Any) -> Callable[[], Any]:
    return lambda: adapter


def _files(dialect: Dialect) -> list[Path]:
    return [*sorted(_SQL.glob("*.sql")), *sorted((_SQL / dialect).glob("*.sql"))]


def _names(queries: Any) -> list[str]:
    # aiosql lists every query twice for drivers with cursors; the twin has no text of its own.
    return [name for name in queries.available_queries if not name.endswith("_cursor")]
