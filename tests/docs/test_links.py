import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.docs_pages.__main__ import ROOT

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CLAIM = re.compile(r"\[(test_\w+)\]\(([^)]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)

PAGES = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")]
)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them; a heading that comes twice has none of its own."""
    found = [anchor(heading) for heading in HEADING.findall(path.read_text(encoding="utf-8"))]
    return {one for one in found if found.count(one) == 1}


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    lost: list[str] = []
    for found in LINK.finditer(without_code((ROOT / page).read_text(encoding="utf-8"))):
        link = found[1]
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (ROOT / page.parent / parts.path).resolve() if parts.path else ROOT / page
        if not target.exists() or (parts.fragment and parts.fragment not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_every_claim_of_the_readme_names_a_test_that_is_there() -> None:
    claims = [found.groups() for found in CLAIM.finditer((ROOT / "README.md").read_text(encoding="utf-8"))]
    assert len(claims) > 10
    missing = [
        name
        for name, path in claims
        if not re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_pictures_load_nothing_from_elsewhere() -> None:
    for picture in (ROOT / "docs" / "images").glob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert not re.search(r"(href|src)=\"http|url\(\s*[\"']?http|@import", text), picture
