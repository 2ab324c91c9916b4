"""Entity tags: the revision of a record in quotes, and the condition that a client puts on it."""

import re
from typing import Final

from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header

# 18 digits stay below 2**63, so that no revision overflows a database's integer.
_REVISION: Final = re.compile(r'"(\d{1,18})"|(\d{1,18})', re.ASCII)


def etag(revision: int) -> Header:
    return (b"etag", b'"%d"' % revision)


def expected_revision(request: Request) -> int | None:
    """What `If-Match` asks for: `"3"` or `3`; None for `*` and without the header. Anything else is a BadRequest."""
    value = request.header(b"if-match")
    if value is None or value.strip() == "*":
        return None
    found = _REVISION.fullmatch(value.strip())
    if found is None:
        raise BadRequest('must be a revision in quotes, like "3", or *', "If-Match")
    return int(found[1] or found[2])
