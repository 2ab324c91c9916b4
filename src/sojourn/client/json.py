"""Any JSON value."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
else:
    # msgspec resolves no recursive alias; at run time any JSON value is one.
    Json = Any
