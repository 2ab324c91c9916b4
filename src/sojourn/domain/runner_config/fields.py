"""One field of a runner's configuration at a time, read and refused by its name."""

from collections.abc import Collection, Mapping
from typing import Final

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json

PLACE: Final = "runner_config"


def refuse_others(config: Mapping[str, Json], known: Collection[str]) -> None:
    unknown = sorted(config.keys() - set(known))
    if unknown:
        raise InvalidRequest(f"{PLACE}.{unknown[0]}", f"is unknown; there are {', '.join(sorted(known))}")


def text(config: Mapping[str, Json], name: str, default: str | None = None) -> str:
    """A text that is not empty."""
    value = config.get(name, default)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{PLACE}.{name}", "must be a text that is not empty")
    return value


def seconds(config: Mapping[str, Json], name: str, default: float, high: float) -> float:
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= high:
        raise InvalidRequest(f"{PLACE}.{name}", f"must be seconds, more than 0 and at most {high:g}")
    return float(value)


def count(config: Mapping[str, Json], name: str, default: int, high: int) -> int:
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= high:
        raise InvalidRequest(f"{PLACE}.{name}", f"must be a whole number from 1 to {high}")
    return value


def flag(config: Mapping[str, Json], name: str, default: bool) -> bool:
    value = config.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f"{PLACE}.{name}", "must be true or false")
    return value


def mapping(config: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    value = config.get(name, {})
    if not isinstance(value, dict):
        raise InvalidRequest(f"{PLACE}.{name}", "must be an object")
    return value
