"""Lists: those that are paged by number, and those that are short."""

from typing import Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")


class Page(Struct, Generic[T], kw_only=True):
    data: list[T]
    total: int
    offset: int
    limit: int
    next_url: str | UnsetType = UNSET
    prev_url: str | UnsetType = UNSET


class Items(Struct, Generic[T]):
    data: list[T]
