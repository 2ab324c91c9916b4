"""Settings as an operator gives them."""

from pathlib import Path

import pytest

from sojourn.config import BadSetting, load_settings


def test_a_number_is_taken_within_its_range_and_named_outside_of_it(tmp_path: Path) -> None:
    assert load_settings({}, {}, tmp_path).stop_seconds == 5
    assert load_settings({}, {"SOJOURN_STOP_SECONDS": "60"}, tmp_path).stop_seconds == 60
    for value in ("0", "3601", "soon"):
        with pytest.raises(BadSetting, match="stop_seconds"):
            load_settings({}, {"SOJOURN_STOP_SECONDS": value}, tmp_path)
