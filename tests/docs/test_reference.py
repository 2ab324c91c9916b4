import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.docs_pages.__main__ import PAGES, ROOT, stale, write
from scripts.docs_pages.picture import FRAMES, PLACES, arrows
from scripts.docs_pages.settings import OTHERS
from sojourn.config import PREFIX, Settings
from sojourn.domain.turn import TRANSITIONS, TurnStatus

VARIABLE = re.compile(rf"\b{PREFIX}[A-Z]+(?:_[A-Z]+)*\b")


def test_every_made_page_is_what_the_code_makes_now() -> None:
    checked = subprocess.run(
        [ROOT / "scripts" / "docs", "--check"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_was_changed_by_hand_is_found(name: str, tmp_path: Path) -> None:
    write(tmp_path)
    assert stale(tmp_path) == []
    page = tmp_path / name
    page.write_text(page.read_text().replace("e", "", 1))
    assert stale(tmp_path) == [name]
    page.unlink()
    assert stale(tmp_path) == [name]


def test_the_picture_shows_every_transition_once() -> None:
    shown = {(arrow.label, arrow.path) for arrow in arrows()}
    grouped = {
        (move, after)
        for (_, move), after in TRANSITIONS.items()
        if any(
            frame.statuses
            == frozenset(before for (before, m), a in TRANSITIONS.items() if (m, a) == (move, after))
            for frame in FRAMES
        )
    }
    alone = sum((move, after) not in grouped for (_, move), after in TRANSITIONS.items())
    labels = [label for labels, _ in shown for label in labels.split(", ")]
    assert len(labels) == alone + len(grouped)
    assert set(labels) == {move.value for _, move in TRANSITIONS}


def test_the_picture_is_well_formed_and_its_statuses_stand_apart() -> None:
    picture = ElementTree.parse(ROOT / "docs/images/turn-states.svg")
    texts = {element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert texts >= {status.value for status in TurnStatus}
    assert len(set(PLACES.values())) == len(TurnStatus)


def test_every_variable_that_the_code_names_is_documented() -> None:
    named = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in VARIABLE.findall(path.read_text(encoding="utf-8"))
    }
    documented = {f"{PREFIX}{name.upper()}" for name in Settings.__slots__} | OTHERS.keys()
    assert named - documented == set()


def test_every_command_answers_to_the_name_in_its_page() -> None:
    sojourn = shutil.which("sojourn", path=ROOT / ".venv/bin")
    assert sojourn is not None
    headings = re.findall(r"^## sojourn ?(.*)$", (ROOT / "docs/reference/cli.md").read_text(), re.MULTILINE)
    assert len(headings) > 5
    for words in headings:
        subprocess.run([sojourn, *words.split(), "--help"], check=True, capture_output=True)
