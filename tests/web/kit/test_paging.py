from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.ids import OrgId
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.refusals import BadRequest

ORG, OTHER = OrgId(UUID(int=1)), OrgId(UUID(int=2))


class Place(msgspec.Struct, array_like=True, frozen=True):
    at: datetime
    id: UUID


CURSORS = Cursors("things", Place)
PLACE = Place(datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), UUID(int=7))


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_reads_as_the_place_it_was_written_for(at: datetime, id: UUID) -> None:
    place = Place(at, id)
    cursor = CURSORS.write(place, ORG, "asc", ("x",))
    assert cursor.isascii()
    assert CURSORS.read(cursor, ORG, "asc", ("x",)) == place


def test_a_cursor_is_fit_for_a_url_and_short() -> None:
    cursor = CURSORS.write(PLACE, ORG)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert len(cursor) < 100


def test_a_cursor_of_another_list_organisation_or_selection_is_refused() -> None:
    cursor = CURSORS.write(PLACE, ORG, "asc")
    for cursors, org, selection in [
        (Cursors("others", Place), ORG, ["asc"]),
        (CURSORS, OTHER, ["asc"]),
        (CURSORS, ORG, ["desc"]),
        (CURSORS, ORG, []),
    ]:
        with pytest.raises(BadRequest, match="cursor"):
            cursors.read(cursor, org, *selection)


@given(st.text())
def test_any_text_is_a_cursor_or_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        CURSORS.read(text, ORG)


def test_a_cursor_cannot_be_cut_or_padded() -> None:
    cursor = CURSORS.write(PLACE, ORG)
    for other in (cursor[:-1], cursor[1:], cursor + "A", cursor + "=", cursor + "\n", ""):
        with pytest.raises(BadRequest):
            CURSORS.read(other, ORG)


def test_a_page_is_cut_from_one_row_more() -> None:
    assert cut([1, 2, 3], 3) == ([1, 2, 3], None)
    assert cut([1, 2, 3, 4], 3) == ([1, 2, 3], 3)
    assert cut(list[int](), 3) == ([], None)
