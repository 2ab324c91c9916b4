"""What a log tells once parts of it are taken back by rewinds."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Branch(Generic[T]):
    """What grew from the event `first` on, behind the first `kept` items of the branch at `base`.

    `seqs` are those of the events that `items` came with.
    """

    first: int = 0
    base: int | None = None
    kept: int = 0
    items: list[T] = field(default_factory=list[T])
    seqs: list[int] = field(default_factory=list[int])


@dataclass(slots=True)
class Timeline(Generic[T]):
    """A list that grows with a log, and that a rewind takes back to what it was behind an earlier event.

    What was taken back is kept: a later rewind may be to an event of it. It is kept once, whatever grew behind it.
    """

    # The list as it stands, and the seqs of its items.
    _items: list[T] = field(default_factory=list[T])
    _seqs: list[int] = field(default_factory=list[int])
    # Where it began; its items come with it when it is left.
    _branch: _Branch[T] = field(default_factory=_Branch[T])
    _left: list[_Branch[T]] = field(default_factory=list[_Branch[T]])

    @property
    def items(self) -> list[T]:
        """The list as it stands; whoever replaces one of the items since the last rewind does so here."""
        return self._items

    def add(self, seq: int, item: T) -> None:
        self._items.append(item)
        self._seqs.append(seq)

    def keep(self, wanted: Callable[[T], bool]) -> None:
        """Drop the others since the last rewind, for good."""
        start = self._branch.kept
        new = zip(self._items[start:], self._seqs[start:], strict=True)
        kept = [(item, seq) for item, seq in new if wanted(item)]
        self._items[start:] = [item for item, _ in kept]
        self._seqs[start:] = [seq for _, seq in kept]

    def rewind(self, seq: int, to: int) -> None:
        """Make the list what it was behind the event `to`; `seq` is that of the rewind."""
        start = self._branch.kept
        self._left.append(replace(self._branch, items=self._items[start:], seqs=self._seqs[start:]))
        # The first one began with the log, so one of them holds the event.
        at = next(at for at in reversed(range(len(self._left))) if self._left[at].first <= to)
        items, seqs = self._grown(at)
        kept = bisect_right(seqs, to)
        self._items, self._seqs = items[:kept], seqs[:kept]
        self._branch = _Branch(seq, at, kept)

    def _grown(self, at: int) -> tuple[list[T], list[int]]:
        """The list as it was when that branch was left."""
        branch = self._left[at]
        parts, below = [(branch.items, branch.seqs)], branch.kept
        while branch.base is not None:
            branch = self._left[branch.base]
            own = max(0, below - branch.kept)
            parts.append((branch.items[:own], branch.seqs[:own]))
            below = min(below, branch.kept)
        parts.reverse()
        return [item for items, _ in parts for item in items], [seq for _, seqs in parts for seq in seqs]


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
