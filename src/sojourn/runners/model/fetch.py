"""The tool `fetch`: a page of the web, as text, from a public address only unless the server allows others."""

import asyncio
import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

from sojourn import __version__
from sojourn.outgoing import Answer, Outgoing, Unanswered
from sojourn.ports.turns import Journal
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.html_text import html_text
from sojourn.runners.model.tools import Tool, ToolFailed

FETCH_SECONDS: Final = 30.0
FETCH_BYTES: Final = 1024 * 1024
FETCH_CHARACTERS: Final = 20_000
FETCH_REDIRECTS: Final = 5

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_TEXTS: Final = frozenset(
    {
        "application/json",
        "application/xml",
        "application/javascript",
        "application/x-ndjson",
        "application/yaml",
    }
)
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_WEB_CODECS: Final = re.compile(
    r"utf-(8|16)|ascii|iso8859|cp125|cp932|koi8|shift_jis|euc_|gb|big5|iso2022_jp"
)
_SNIFFED_BYTES: Final = 2_048
_ERROR_CHARACTERS: Final = 500

_PARAMETERS: Final[dict[str, object]] = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "description": "An http or https URL."},
        "start": {
            "type": "integer",
            "minimum": 0,
            "description": "The character of the text to begin with, to read on in a long page.",
        },
    },
    "required": ["url"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class _Fetched:
    url: str
    status: int
    content_type: str
    charset: str | None
    body: bytes
    is_whole: bool


def fetch_tools(outgoing: Outgoing) -> Sequence[Tool]:
    fetcher = _Fetcher(outgoing)
    description = (
        "Get a page of the web by its URL, as text. Pages of HTML become readable text with their links."
    )
    return (Tool(ToolSpec("fetch", description, _PARAMETERS), fetcher.run, repeatable=True),)


class _Fetcher:
    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def run(self, _journal: Journal, arguments: Mapping[str, Any]) -> str:
        url, start = arguments.get("url"), arguments.get("start", 0)
        if not isinstance(url, str):
            raise ToolFailed("The argument url is missing or no string.")
        if isinstance(start, bool) or not isinstance(start, int) or start < 0:
            raise ToolFailed("The argument start is no whole number from 0.")
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                fetched = await self._follow(url)
        except TimeoutError:
            raise ToolFailed(f"{url} did not answer within {FETCH_SECONDS:g} s.") from None
        except Unanswered as error:
            raise ToolFailed(f"{url} cannot be fetched: {error}.") from None
        # Reading a large page takes a moment in which other turns go on.
        return await asyncio.to_thread(_told, fetched, start)

    async def _follow(self, url: str) -> _Fetched:
        at = urldefrag(url).url
        for _ in range(FETCH_REDIRECTS + 1):
            async with self._outgoing.ask("GET", at, _headers()) as answer:
                target = answer.headers.get("location")
                if answer.status not in _REDIRECTS or target is None:
                    return await _read(at, answer)
            try:
                at = urldefrag(urljoin(at, target)).url
            except ValueError:
                raise ToolFailed(f"{at} redirects to what is no URL.") from None
        raise ToolFailed(f"{url} redirects more than {FETCH_REDIRECTS} times.")


def _headers() -> dict[str, str]:
    return {
        "user-agent": f"sojourn/{__version__}",
        "accept": "text/html, application/xhtml+xml, text/*;q=0.9, application/json;q=0.9, */*;q=0.1",
    }


async def _read(url: str, answer: Answer) -> _Fetched:
    kind = answer.content_type
    if not _is_text(kind):
        raise ToolFailed(f"{url} is {kind[:100]}, which is no text.")
    body, is_whole = await answer.read(FETCH_BYTES)
    found = _CHARSET.search(answer.headers.get("content-type", ""))
    return _Fetched(url, answer.status, kind, None if found is None else found[1], body, is_whole)


def _is_text(kind: str) -> bool:
    return not kind or kind.startswith("text/") or kind in _TEXTS | _HTML or kind.endswith(("+json", "+xml"))


def _told(fetched: _Fetched, start: int) -> str:
    page, title = _decoded(fetched), ""
    if fetched.content_type in _HTML:
        title, page = html_text(page, fetched.url)
    page = page.replace("\0", "\ufffd")
    if not HTTPStatus.OK <= fetched.status < HTTPStatus.MULTIPLE_CHOICES:
        raise ToolFailed(f"{fetched.url} answered {fetched.status}: {page[:_ERROR_CHARACTERS].strip()}")
    part = page[start : start + FETCH_CHARACTERS]
    head = f"URL: {fetched.url}\n" + (f"Title: {title}\n" if title else "")
    left = len(page) - start - len(part)
    if left > 0:
        tail = f"\n\n[{left} more characters: fetch again with start={start + len(part)}]"
    else:
        tail = "" if fetched.is_whole else f"\n\n[The page goes on; its first {FETCH_BYTES} bytes were read.]"
    return f"{head}\n{part}{tail}"


def _decoded(fetched: _Fetched) -> str:
    charset = fetched.charset
    if charset is None and fetched.content_type in _HTML:
        found = _CHARSET.search(fetched.body[:_SNIFFED_BYTES].decode("latin-1"))
        charset = None if found is None else found[1]
    return fetched.body.decode(_codec(charset or "utf-8"), "replace")


def _codec(charset: str) -> str:
    """Python's codec of a charset of the web; its other codecs are no charsets, and some take time without end."""
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        return "utf-8"
    return name if _WEB_CODECS.match(name) else "utf-8"
