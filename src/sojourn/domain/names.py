"""Names that clients give to what they store, and by which they refer to it."""

import re
from typing import Final

from sojourn.domain.errors import InvalidRequest

NAME: Final = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_NAME: Final = re.compile(NAME)


def check_name(field: str, name: str) -> None:
    """InvalidRequest for a name that no reference could hold."""
    if _NAME.fullmatch(name) is None:
        raise InvalidRequest(field, "must begin with a letter or digit and hold letters, digits, . _ - only")
