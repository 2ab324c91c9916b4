"""The `runner_config` of an agent that foreign workers run: `{"pool": name}`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json
from sojourn.domain.pools import DEFAULT_POOL, pool_name


@dataclass(frozen=True, slots=True)
class ExternalConfig:
    """Turns of the agent are claimed by workers of `pool`."""

    pool: str = DEFAULT_POOL


def read_external(config: Mapping[str, Json]) -> ExternalConfig:
    """InvalidRequest for a pool that is no name, and for anything else in it."""
    for name in config:
        if name != "pool":
            raise InvalidRequest(f"runner_config.{name}", "is not known to the runner external")
    match config.get("pool", DEFAULT_POOL):
        case str(pool):
            return ExternalConfig(pool_name(pool, "runner_config.pool"))
        case _:
            raise InvalidRequest("runner_config.pool", "must be a text")
