"""What a failure looks like."""

from msgspec import UNSET, Struct, UnsetType


class ErrorDetail(Struct):
    code: str
    message: str


class Problem(Struct, kw_only=True):
    """RFC 9457, with `error` for the shipped client."""

    title: str
    status: int
    code: str
    detail: str
    instance: str
    request_id: str
    error: ErrorDetail
    retry_after_seconds: float | UnsetType = UNSET
