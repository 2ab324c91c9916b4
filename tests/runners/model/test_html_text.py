"""Pages as text: readable where they are sound, and bounded where they are not."""

import pytest

from sojourn.runners.model.html_text import html_text

BASE = "https://a.example/dir/page"

PAGE = """<!DOCTYPE html><html><head><title>A &amp; B
 page</title><style>p { color: red }</style><script>if (a < b) { alert("</p>") }</script></head>
<body><!-- <p>hidden</p> --><nav><a href="/">Home</a> <a href="#top">Top</a></nav>
<h1>Log <em>books</em></h1><p>Ships &mdash; kept
 them.<br>Daily.</p><ul><li>one</li><li>two <b>bold</b></li></ul>
<table><tr><th>k</th><th>v</th></tr><tr><td>a</td><td>1</td></tr></table>
<pre>x = 1
  y</pre><p><a href="javascript:alert(1)">run</a> <a href='../up?q=1'>Up</a></p><svg/><p>end</p></body></html>"""


def test_a_page_becomes_text_with_its_headings_lists_links_and_code() -> None:
    title, text = html_text(PAGE, BASE)
    assert title == "A & B page"
    assert text.split("\n") == [
        "[Home](https://a.example/) Top",
        "",
        "# Log books",
        "",
        "Ships \u2014 kept them.",
        "Daily.",
        "",
        "- one",
        "- two bold",
        "",
        "k | v |",
        "",
        "a | 1 |",
        "",
        "```",
        "x = 1",
        "  y",
        "```",
        "",
        "run [Up](https://a.example/up?q=1)",
        "",
        "end",
    ]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("plain", "plain"),
        ("a < b > c", "a < b > c"),
        ("<p>open <b>never", "open never"),
        ("before<!-- never ended", "before"),
        ("before<script>never ended", "before"),
        ("<a>no target</a></a>", "no target"),
        ("", ""),
        ("\u0130<p>wide</p>", "\u0130\n\nwide"),
    ],
)
def test_a_broken_page_is_read_as_far_as_it_goes(page: str, text: str) -> None:
    assert html_text(page, BASE)[1] == text


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--", "<a href='", "<", "<script>", "<title>", "</", "<pre><a>", "&#"]
)
def test_a_hostile_page_is_read_in_one_pass(piece: str) -> None:
    """One that took the square of its length would run into the limit of the test."""
    html_text(piece * (300_000 // len(piece)), BASE)
