"""Identifiers sort in the order in which one process made them, and each says when that was."""

import time

from sojourn.domain.ids import uuid7


def test_ids_made_in_the_same_millisecond_sort_in_the_order_of_creation() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_is_a_uuid_of_version_7_that_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    # Ids made faster than the clock's steps run ahead of it, by a fraction of a millisecond each 4,096.
    assert before <= made.int >> 80 <= after + 5
