"""Reads the fields of a body with the complaints of agent-swarm's own validator (Zod 4), all of them at once."""

from typing import Final

from sojourn.domain.kinds import Json
from sojourn.web.kit.refusals import BadRequest

_UNSET: Final = object()
# JavaScript's words for what a value is.
_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


class Fields:
    """A field may be absent where it is optional, but never null. Fields that nobody asks for do not matter."""

    def __init__(self, body: Json) -> None:
        self._complaints: list[str] = []
        self._given: dict[str, Json] = {}
        if isinstance(body, dict):
            self._given = body
        else:
            self._expect("object", "body", body)

    def text(self, name: str) -> str:
        """A text of one character at least."""
        value = self._given.get(name, _UNSET)
        if value == "":
            self._complain(name, "Too small: expected string to have >=1 characters")
        return self._text(name, value)

    def optional_text(self, name: str) -> str | None:
        return self._text(name, self._given[name]) if name in self._given else None

    def optional_integer(self, name: str, low: int, high: int) -> int | None:
        if name not in self._given:
            return None
        value = self._given[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._expect("number", name, value)
            return None
        # 5.0 is the same number as 5 to those who wrote the clients.
        if isinstance(value, float) and not value.is_integer():
            self._complain(name, "Invalid input: expected int, received number")
        elif value > high:
            self._complain(name, f"Too big: expected number to be <={high}")
        elif value < low:
            self._complain(name, f"Too small: expected number to be >={low}")
        else:
            return int(value)
        return None

    def check(self) -> None:
        """BadRequest if there was anything to complain about."""
        if self._complaints:
            raise BadRequest("Validation error: " + ", ".join(self._complaints))

    def _text(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            self._expect("string", name, value)
            return ""
        if "\0" in value:
            self._complain(name, "Invalid input: expected string without NUL characters")
        return value

    def _expect(self, expected: str, name: str, value: object) -> None:
        self._complain(name, f"Invalid input: expected {expected}, received {_kind(value)}")

    def _complain(self, name: str, reason: str) -> None:
        self._complaints.append(f"{name}: {reason}")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "undefined")
