"""What a dialect must do, as data. A test says by `covers` which of it the test shows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T", bound=Callable[..., object])


@dataclass(frozen=True)
class Requirement:
    """`source` says where it is written; `divergence` how and why Sojourn does something else than the source."""

    id: str
    source: str
    sentence: str
    divergence: str | None = None


class Covers(Protocol):
    """Marks a test as one that shows these requirements."""

    def __call__(self, *ids: str) -> Callable[[T], T]: ...


def covering(requirements: Iterable[Requirement]) -> Covers:
    """The marker of one dialect's tests, which knows its requirements."""
    known = frozenset(requirement.id for requirement in requirements)

    def covers(*ids: str) -> Callable[[T], T]:
        assert known.issuperset(ids), f"no such requirements: {set(ids) - known}"
        return lambda test: test

    return covers
