"""Pools: which workers claim the turns of which agents."""

import re
from collections.abc import Mapping
from typing import Final

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json

# The pool of agents, and of workers, that name none.
DEFAULT_POOL: Final = "default"

_POOL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def pool_of(config: Mapping[str, Json]) -> str:
    """The pool of an agent that was made before anybody read its config, too."""
    match config.get("pool"):
        case str(pool) if _POOL.fullmatch(pool) is not None:
            return pool
        case _:
            return DEFAULT_POOL


def pool_name(pool: str, field: str) -> str:
    if _POOL.fullmatch(pool) is None:
        raise InvalidRequest(field, "must be 1 to 100 letters, digits, dots, dashes and underscores")
    return pool
