"""What a page of HTML says, as text that a model reads: headings, lists, links and code stay recognisable.

One pass in time that grows with the page and no faster, however broken the page is: each search for an end that is not
there gives up the rest of the page instead of beginning anew.
"""

import re
from html import unescape
from typing import Final
from urllib.parse import urljoin

_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_NAME: Final = re.compile(r"/?[a-z][a-z0-9]*")
_HREF: Final = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_SPACE: Final = re.compile(r"\s+")
_BLANK_LINES: Final = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_LONGEST_TAG: Final = 4_000
_LONGEST_LINK: Final = 500

# Elements whose inside is not the page's text.
_HIDDEN: Final = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "object", "select"})
_BLOCK: Final = re.compile(
    "address|article|aside|blockquote|body|dd|div|dl|dt|fieldset|figcaption|figure|footer|form|header|hr|html|main|nav|ol|p"
    "|section|table|tbody|tfoot|thead|tr|ul"
)
_HEADINGS: Final = {f"h{level}": "#" * level for level in range(1, 7)}


def html_text(page: str, base: str) -> tuple[str, str]:
    """The title and the text of a page. Links are made absolute against `base`."""
    reader = _Reader(page, base)
    reader.read()
    return " ".join("".join(reader.title).split()), reader.text()


class _Reader:
    def __init__(self, page: str, base: str) -> None:
        self._page = page
        # Of the same length, which str.lower does not promise.
        self._lower = page.translate(_LOWER)
        self._base = base
        self._pieces: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._pre = 0
        self.title: list[str] = []

    def text(self) -> str:
        text = "".join(self._pieces)
        lines = (line.rstrip() for line in text.split("\n"))
        return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()

    def read(self) -> None:
        page, place = self._page, 0
        while place < len(page):
            start = page.find("<", place)
            if start < 0:
                self._say(page[place:])
                return
            self._say(page[place:start])
            place = self._markup(start)

    def _markup(self, start: int) -> int:
        """Take what begins with `<`; the place behind it."""
        page = self._page
        if page.startswith("<!--", start):
            return _behind(page.find("-->", start + 4), 3, len(page))
        if page.startswith(("<!", "<?"), start):
            return _behind(page.find(">", start), 1, len(page))
        found = _NAME.match(self._lower, start + 1)
        if found is None:
            self._say("<")
            return start + 1
        end = page.find(">", found.end())
        return len(page) if end < 0 else self._element(found[0], start, end)

    def _element(self, name: str, start: int, end: int) -> int:
        """Take a tag, and what is within an element that is no text; the place behind it."""
        page = self._page
        if name == "title":
            inside = self._lower.find("</title", end)
            self.title.append(unescape(page[end + 1 : len(page) if inside < 0 else inside]))
            return self._behind_element(name, end + 1)
        if name in _HIDDEN and page[end - 1] != "/":
            return self._behind_element(name, end + 1)
        self._tag(name, page[start : min(end, start + _LONGEST_TAG)])
        return end + 1

    def _behind_element(self, name: str, place: int) -> int:
        end = self._lower.find(f"</{name}", place)
        return len(self._page) if end < 0 else _behind(self._page.find(">", end), 1, len(self._page))

    def _tag(self, tag: str, text: str) -> None:
        name = tag.removeprefix("/")
        is_end = tag is not name
        match name:
            case "br":
                self._pieces.append("\n")
            case "li":
                self._pieces.append("" if is_end else "\n- ")
            case "td" | "th":
                self._pieces.append(" | " if is_end else "")
            case "pre":
                self._pre = max(0, self._pre + (-1 if is_end else 1))
                self._pieces.append("\n```\n")
            case "a":
                self._link(text, is_end)
            case _ if name in _HEADINGS:
                self._pieces.append("\n\n" if is_end else f"\n\n{_HEADINGS[name]} ")
            case _ if _BLOCK.fullmatch(name):
                self._pieces.append("\n" if name in {"tr", "dt", "dd"} else "\n\n")
            case _:
                pass

    def _link(self, text: str, is_end: bool) -> None:
        if not is_end:
            found = _HREF.search(text)
            href = "" if found is None else next((group for group in found.groups() if group), "")
            self._links = [(unescape(href).strip(), len(self._pieces))]
            return
        if not self._links:
            return
        href, begun = self._links.pop()
        said = " ".join("".join(self._pieces[begun:]).split())
        target = _absolute(self._base, href)
        if said and target:
            self._pieces[begun:] = [f"[{said}]({target})"]

    def _say(self, text: str) -> None:
        if not text:
            return
        said = unescape(text)
        if not self._pre:
            said = _SPACE.sub(" ", said)
            last = self._pieces[-1] if self._pieces else "\n"
            if said.startswith(" ") and last.endswith(("\n", " ")):
                said = said[1:]
        if said:
            self._pieces.append(said)


def _behind(end: int, length: int, otherwise: int) -> int:
    return otherwise if end < 0 else end + length


def _absolute(base: str, href: str) -> str:
    """Empty for what leads nowhere else, or not to the web."""
    if not href or href.startswith("#") or len(href) > _LONGEST_LINK:
        return ""
    try:
        target = urljoin(base, href)
    except ValueError:
        return ""
    return target if target.startswith(("http://", "https://")) else ""
