"""Language tags of BCP 47, in the spelling that its section 2.1.1 recommends. Pure."""

import re
from typing import Final

from sojourn.domain.errors import InvalidRequest

_TAG: Final = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}"
    r"(-[a-z]{4})?"
    r"(-([a-z]{2}|\d{3}))?"
    r"(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(-[a-wyz0-9](-[a-z0-9]{2,8})+)*"
    r"(-x(-[a-z0-9]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)


def normalised(tag: str) -> str:
    """`en-us` is `en-US`; InvalidRequest for what is no tag."""
    if len(tag) > 100 or _TAG.fullmatch(tag) is None:
        raise InvalidRequest("locale", "must be a BCP 47 language tag, like uk-UA")
    first, *others = tag.lower().split("-")
    parts = [first]
    in_extension = False
    for part in others:
        in_extension = in_extension or len(part) == 1
        parts.append(part if in_extension else _spelled(part))
    return "-".join(parts)


def _spelled(part: str) -> str:
    match len(part):
        case 2:
            return part.upper()
        case 4 if part.isalpha():
            return part.title()
        case _:
            return part
