"""A call to be made, as the asynchronous and the synchronous client both make it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """A call to be made. `body` is encoded as JSON, `content` is sent as it is.

    `repeatable` says that carrying it out twice leaves what once leaves, and answers the same.
    """

    method: str
    path: str
    params: Params = ()
    body: object = None
    headers: Mapping[str, str] | None = None
    repeatable: bool = True
    content: bytes | None = None


def post(path: str, body: object = None, idempotency_key: str | None = None) -> Request:
    """A POST is safe to repeat because every try carries the same key."""
    return Request("POST", path, (), body, {"Idempotency-Key": idempotency_key or uuid4().hex})


def optional(name: str, value: str | None) -> Params:
    return [] if value is None else [(name, value)]


def if_match(revision: int | None) -> Mapping[str, str] | None:
    return None if revision is None else {"If-Match": f'"{revision}"'}
