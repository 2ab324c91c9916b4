"""Lists: those that are paged by number, and those that are short."""

from typing import Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")


class AllowedAction(Struct, kw_only=True):
    rel: str
    method: str
    href: str
    operation_id: str
    schema_ref: str | UnsetType = UNSET


class Linked(Struct, kw_only=True):
    """Where a thing is found, for programs and for people, and what may be done with it next."""

    self_url: str
    view_url: str
    ui_link: str
    allowed_actions: list[AllowedAction]


class Page(Struct, Generic[T], kw_only=True):
    data: list[T]
    total: int
    offset: int
    limit: int
    next_url: str | UnsetType = UNSET
    prev_url: str | UnsetType = UNSET


class Items(Struct, Generic[T]):
    data: list[T]
