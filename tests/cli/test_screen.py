from decimal import Decimal

import pytest

from sojourn.cli.screen import dollars, one_line, printable


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]0;owned\x07",
        "\x1b[2J",
        "a\rb",
        "\x9b31m",
        "abc\u202etxt.exe",
        "\u2066hidden\u2069",
        "\x00",
        "\x7f",
    ],
)
def test_text_that_could_drive_a_terminal_is_shown_as_harmless(text: str) -> None:
    shown = printable(text)
    assert "\ufffd" in shown
    assert len(shown) == len(text)
    assert printable(shown) == shown


@pytest.mark.parametrize("text", ["plain", "tab\tand\nline", "Grüße, 你好, 👩‍👧", "naïve “quoted”"])
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_a_long_text_is_cut_to_one_line_of_the_limit() -> None:
    assert one_line("a\n  b\tc", 10) == "a b c"
    assert one_line("x" * 20, 10) == "x" * 9 + "…"


def test_a_price_shows_as_many_places_as_it_takes_to_see_it() -> None:
    assert [dollars(Decimal(cost)) for cost in ("0", "1.5", "0.0001", "0.00000312")] == [
        "$0",
        "$1.5000",
        "$0.0001",
        "$0.0000031",
    ]
    assert dollars(None) == "-"
