"""Numbered SQL files, applied once each, in order, and checked against what was applied before.

`docs/adr/0001-migrations.md` says why no library does this.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sojourn.store.where import Dialect

_MIGRATIONS: Final = Path(__file__).parent / "migrations"

# The table that says what was applied; the same text serves both databases.
LEDGER: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)
"""


class MigrationMismatch(Exception):
    """The database was made by other files than these: a newer release, or a changed one."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    text: str
    sha256: str


def load_migrations(dialect: Dialect) -> Sequence[Migration]:
    """Every migration of a database, in the order of their numbers."""
    texts = [
        (path.stem, path.read_text(encoding="utf-8"))
        for path in sorted((_MIGRATIONS / dialect).glob("*.sql"))
    ]
    return [Migration(name, text, hashlib.sha256(text.encode()).hexdigest()) for name, text in texts]


def pending(migrations: Sequence[Migration], applied: Mapping[str, str]) -> Sequence[Migration]:
    """What is still to apply. `applied` maps names to digests."""
    known = {migration.name: migration.sha256 for migration in migrations}
    for name, sha256 in applied.items():
        if name not in known:
            raise MigrationMismatch(
                f"The database has migration {name}, which this release lacks: upgrade it."
            )
        if known[name] != sha256:
            raise MigrationMismatch(f"Migration {name} was applied with another text than this release has.")
    return [migration for migration in migrations if migration.name not in applied]
