"""The little Markdown that the pages need."""

from collections.abc import Iterable, Sequence


def compose(title: str, source: str, *blocks: str) -> str:
    """A page made from `source`, a path of the repository; blocks are separated by blank lines."""
    return "\n\n".join([f"# {title}", f"<!-- Written by scripts/docs from {source}. -->", *blocks]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def code(text: str) -> str:
    return f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    return ", ".join(code(text) for text in texts)


def prose(docstring: str | None) -> str:
    """A docstring as paragraphs, without the indentation of its source."""
    lines = [line.strip() for line in (docstring or "").strip().splitlines()]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
