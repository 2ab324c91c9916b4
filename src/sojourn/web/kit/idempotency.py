"""The `Idempotency-Key` header, and what makes two requests the same request."""

import re
from hashlib import sha256
from typing import Any, Final

import msgspec

from sojourn.domain.ids import KeyId
from sojourn.service.results import Repeat, Result
from sojourn.web.kit.body import parse_json
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header

_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,255}")

REPLAYED: Final[Header] = (b"idempotent-replayed", b"true")


def repeat(request: Request, key: KeyId, operation: str, body: bytes) -> Repeat | None:
    """How the service may recognise this request when it comes again; None without the header.

    The body counts as JSON: its spacing and the order of its keys do not matter.
    """
    text = idempotency_key(request)
    return None if text is None else Repeat(key, operation, text, _fingerprint(request, body))


def idempotency_key(request: Request) -> str | None:
    text = request.header(b"idempotency-key")
    if text is not None and _VISIBLE.fullmatch(text) is None:
        raise BadRequest("must be 1 to 255 visible ASCII characters", "Idempotency-Key")
    return text


def _fingerprint(request: Request, body: bytes) -> bytes:
    digest = sha256(request.method.encode())
    for part in (request.rest, request.query_string, _canonical(body)):
        digest.update(b"\n")
        digest.update(part)
    return digest.digest()


def _canonical(body: bytes) -> bytes:
    return msgspec.json.encode(parse_json(body), order="sorted") if body else b"{}"


def replayed(result: Result[Any]) -> tuple[Header, ...]:
    """The header that tells a replayed answer from a first one."""
    return (REPLAYED,) if result.replayed else ()
