"""A log is read for ever: every event type, at every version that was ever written, has a file that still decodes.

A new type or version needs a file `golden/<type>.v<version>.json` with every field set; the files of former versions
stay as they are.
"""

from pathlib import Path

import pytest

from sojourn.domain.events import BY_TYPE, EVENT_CLASSES
from sojourn.service.codec import decode, encode

FILES = sorted((Path(__file__).parent / "golden").glob("*.json"))


def named(path: Path) -> tuple[str, int]:
    """The type and version that a file's name says."""
    type, _, v = path.stem.rpartition(".v")
    return type, int(v)


def test_every_version_of_every_type_has_its_golden_file() -> None:
    needed = {(event.type, v) for event in EVENT_CLASSES for v in range(1, event.v + 1)}
    assert {named(path) for path in FILES} == needed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_file_decodes_and_the_current_version_encodes_to_it(path: Path) -> None:
    type, v = named(path)
    data = path.read_bytes().rstrip()
    event = decode(type, v, data)
    assert event is not None
    assert event.type == type
    if v == event.v:
        assert encode(event) == data


def test_a_golden_file_sets_every_field_that_may_be_left_out() -> None:
    for path in FILES:
        type, v = named(path)
        event = decode(type, v, path.read_bytes())
        assert event is not None
        if v != event.v:
            # A former version knows less.
            continue
        told = {name for name in event.__slots__ if getattr(event, name) not in (None, (), {})}
        may_be_empty = {"turn.reclaimed": {"worker"}}
        assert told | may_be_empty.get(type, set()) == set(event.__slots__), path.name


def test_a_type_or_a_version_of_a_later_release_is_told_apart() -> None:
    assert decode("planet.discovered", 1, "{}") is None
    for event in BY_TYPE.values():
        assert decode(event.type, event.v + 1, "{}") is None
