"""A list that is rewound is at each moment what it was at the moment that it was rewound to."""

import pickle
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.timeline import Lasting, Timeline


@given(random=st.randoms(use_true_random=False), steps=st.integers(1, 60))
def test_a_rewind_brings_back_what_was_there_however_often_it_was_rewound(random: Random, steps: int) -> None:
    timeline, was = Timeline[int](), {0: list[int]()}
    rewinds: list[tuple[int, int]] = []
    for seq in range(1, steps + 1):
        if seq > 1 and random.random() < 0.3:
            to = random.randrange(1, seq)
            timeline.rewind(seq, to)
            rewinds.append((seq, to))
            was[seq] = list(was[to])
        else:
            was[seq] = list(was[seq - 1])
            if random.random() < 0.7:
                timeline.add(seq, seq)
                was[seq].append(seq)
        assert timeline.items == was[seq]
        lasting = Lasting.of(rewinds, seq)
        assert [one for one in range(1, seq + 1) if lasting.holds(one) and one in was[seq]] == was[seq]
        assert not [one for one in set(was) - set(was[seq]) if lasting.holds(one) and one in _added(was)]


def _added(was: dict[int, list[int]]) -> set[int]:
    return {seq for items in was.values() for seq in items}


def test_what_is_dropped_does_not_come_back() -> None:
    timeline = Timeline[str]()
    timeline.add(1, "a")
    timeline.add(2, "b")
    timeline.keep(lambda item: item != "a")
    timeline.add(4, "c")
    timeline.rewind(5, 3)
    assert timeline.items == ["b"]


def test_what_is_kept_does_not_grow_with_the_number_of_rewinds() -> None:
    timeline = Timeline[int]()
    for seq in range(1, 1001):
        timeline.add(seq, seq)
    once = len(pickle.dumps(timeline))
    for seq in range(1001, 1101):
        timeline.rewind(seq, 1000)
    assert len(timeline.items) == 1000
    assert len(pickle.dumps(timeline)) < 3 * once
