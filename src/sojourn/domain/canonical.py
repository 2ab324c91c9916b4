"""JSON in the one form of RFC 8785, so that equal values have equal bytes and a digest of them means something.

Numbers are IEEE 754 doubles there. An integer that no double is written as has no form in it, and is refused.
"""

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from math import isfinite
from typing import Final

from sojourn.domain.kinds import Json

# Every integer up to this one is a double of its own (RFC 8785 appendix D).
MAX_SAFE: Final = 2**53 - 1


class NotCanonical(ValueError):
    """The value has no canonical form: a number that is no double, or half of a character."""


def canonical(value: Json) -> bytes:
    """The canonical form of a JSON value, in UTF-8. NotCanonical for one that has none, RecursionError for depth."""
    parts: list[str] = []
    _write(value, parts)
    try:
        return "".join(parts).encode()
    except UnicodeEncodeError:
        raise NotCanonical("half of a character") from None


def joined(members: Mapping[str, bytes]) -> bytes:
    """The canonical form of an object whose members' values have these."""
    names = sorted(members, key=_utf16)
    return b"{" + b",".join([canonical(name) + b":" + members[name] for name in names]) + b"}"


def _write(value: Json, parts: list[str]) -> None:
    match value:
        case str():
            parts.append(encode_basestring(value))
        case None:
            parts.append("null")
        case bool():
            parts.append("true" if value else "false")
        case int():
            parts.append(_integer(value))
        case float():
            parts.append(_double(value))
        case dict():
            _write_object(value, parts)
        case _:
            _write_array(value, parts)


def _write_object(value: Mapping[str, Json], parts: list[str]) -> None:
    separator = "{"
    for key in sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16):
        parts += (separator, encode_basestring(key), ":")
        _write(value[key], parts)
        separator = ","
    parts.append("}" if value else "{}")


def _write_array(value: Sequence[Json], parts: list[str]) -> None:
    separator = "["
    for item in value:
        parts.append(separator)
        _write(item, parts)
        separator = ","
    parts.append("]" if value else "[]")


def _utf16(key: str) -> bytes:
    """Keys are in the order of their UTF-16 code units (RFC 8785 section 3.2.3), which is not that of code points."""
    return key.encode("utf-16-be", "surrogatepass")


def _integer(value: int) -> str:
    if -MAX_SAFE <= value <= MAX_SAFE:
        return str(value)
    try:
        written = _double(float(value))
    except OverflowError:
        raise NotCanonical("a number beyond all doubles") from None
    # A text and not a value is compared: 2**60 + 2**8 is a double, which is written with other digits.
    if written != str(value):
        raise NotCanonical(f"the integer {value} is not written as a double is")
    return written


def _double(value: float) -> str:
    """As ECMAScript writes it (ECMA-262 section 6.1.6.1.20). Python finds the same digits and places them otherwise."""
    if not isfinite(value):
        raise NotCanonical("a number that is none")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    # The value is 0.<digits> times ten to the power of `point`.
    digits = (whole + fraction).lstrip("0")
    point = len(whole.lstrip("0")) + int(exponent or 0)
    if not whole.lstrip("0"):
        point -= len(fraction) - len(fraction.lstrip("0"))
    return sign + _placed(digits.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
