"""The suite holds both databases to every verb of the seam: one that no test names is found here."""

import inspect
import re
from pathlib import Path

import pytest

from sojourn.ports import Reads, Store, Tx


@pytest.mark.parametrize("seam", [Reads, Tx, Store])
def test_every_verb_of_the_seam_is_named_by_a_test(seam: type) -> None:
    texts = "".join(
        path.read_text() for path in Path(__file__).parent.glob("*.py") if path.name != Path(__file__).name
    )
    verbs = [name for name, _ in inspect.getmembers(seam, inspect.isfunction) if not name.startswith("_")]
    assert verbs
    assert [verb for verb in verbs if not re.search(rf"\.{verb}\(", texts)] == []
