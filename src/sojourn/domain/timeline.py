"""What a log tells once parts of it are taken back by rewinds."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Branch(Generic[T]):
    """What grew from the event `first` on; `seqs` are those of the events that `items` came with."""

    first: int = 0
    items: list[T] = field(default_factory=list[T])
    seqs: list[int] = field(default_factory=list[int])


@dataclass(slots=True)
class Timeline(Generic[T]):
    """A list that grows with a log, and that a rewind takes back to what it was behind an earlier event.

    What was taken back is kept: a later rewind may be to an event of it.
    """

    _branch: _Branch[T] = field(default_factory=_Branch[T])
    _left: list[_Branch[T]] = field(default_factory=list[_Branch[T]])

    @property
    def items(self) -> list[T]:
        """The list as it stands; whoever replaces an item does so here."""
        return self._branch.items

    def add(self, seq: int, item: T) -> None:
        self._branch.items.append(item)
        self._branch.seqs.append(seq)

    def keep(self, wanted: Callable[[T], bool]) -> None:
        """Drop the others for good."""
        branch = self._branch
        kept = [(item, seq) for item, seq in zip(branch.items, branch.seqs, strict=True) if wanted(item)]
        branch.items = [item for item, _ in kept]
        branch.seqs = [seq for _, seq in kept]

    def rewind(self, seq: int, to: int) -> None:
        """Make the list what it was behind the event `to`; `seq` is that of the rewind."""
        self._left.append(self._branch)
        # The first one began with the log, so one of them holds the event.
        then = next(branch for branch in reversed(self._left) if branch.first <= to)
        kept = bisect_right(then.seqs, to)
        self._branch = _Branch(seq, then.items[:kept], then.seqs[:kept])


@dataclass(frozen=True, slots=True)
class Lasting:
    """The parts of a log that no rewind has taken back: from a seq to a seq, both of them included."""

    ranges: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, rewinds: Iterable[tuple[int, int]], head: int) -> "Lasting":
        """`rewinds` are the seqs of a log's rewinds and the events that they went back to, in order."""
        ranges: list[tuple[int, int]] = []
        for seq, to in reversed(list(rewinds)):
            if seq <= head:
                ranges.append((seq, head))
                head = to
        return cls((*ranges, (1, head)))

    def holds(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.ranges)
