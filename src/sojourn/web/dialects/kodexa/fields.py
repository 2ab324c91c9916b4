"""The fields that Kodexa's lists can be filtered and sorted by. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sojourn.domain.filter import (
    EVERYTHING,
    All,
    AnyOf,
    Compare,
    Direction,
    Expression,
    FacetPath,
    Filter,
    FirstOf,
    MetadataPath,
    OneOf,
)
from sojourn.domain.ids import OrgId, SessionId
from sojourn.web.dialects.kodexa.facet import DIALECT
from sojourn.web.dialects.kodexa.language import Comparison, Value, read, unreadable
from sojourn.web.dialects.kodexa.status import SHOWN
from sojourn.web.kit.refusals import BadRequest

Kind = Literal["text", "instant", "count", "id"]
Sort = tuple[tuple[Expression, Direction], ...]

MAX_SORT_FIELDS: Final = 10
# Of these, in all filters of a list together: each is looked for in another table, twice.
CLIENTS_INSTANTS: Final = frozenset({"expiresAt", "lastInvokedAt"})
MAX_INSTANTS: Final = 100
# What a client sees of an instant.
RESOLUTION: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Known:
    of: Expression
    kind: Kind


FIELDS: Final[Mapping[str, Known]] = {
    "id": Known("id", "id"),
    "uuid": Known("id", "id"),
    "changeSequence": Known("revision", "count"),
    "createdOn": Known("created_at", "instant"),
    "updatedOn": Known("updated_at", "instant"),
    "agentRuntimeId": Known(FacetPath(DIALECT, ("agentRuntimeId",)), "text"),
    "runtimeSessionId": Known("alias", "text"),
    "status": Known(SHOWN, "text"),
    "expiresAt": Known(FacetPath(DIALECT, ("expiresAt",), "number"), "instant"),
    "lastInvokedAt": Known(
        FirstOf(("invoked_at", FacetPath(DIALECT, ("lastInvokedAt",), "number"))), "instant"
    ),
}
# Every session of a list has the same one.
ORGANIZATION: Final = frozenset({"organizationId", "organization.id"})
METADATA: Final = "metadata."
# What the free text of `query` is looked for in.
SEARCHED: Final[tuple[Expression, ...]] = (
    "title",
    FIELDS["runtimeSessionId"].of,
    FIELDS["agentRuntimeId"].of,
)


def where(filters: list[str], query: str, org: OrgId) -> Filter:
    """What a list selects. BadRequest for a filter that cannot be read, or that names an unknown field."""

    instants = 0

    def compare(comparison: Comparison) -> Filter:
        nonlocal instants
        if comparison.field in CLIENTS_INSTANTS:
            instants += len(comparison.values)
        if instants > MAX_INSTANTS:
            raise unreadable(f"must not name more than {MAX_INSTANTS} values of {comparison.field}")
        return _compare(comparison, org)

    parts = read((text for text in filters if text.strip()), compare)
    if query.strip() not in ("", "*"):
        pattern = _pattern(f"*{query.strip()}*")
        parts.append(AnyOf(tuple(Compare(of, "like", pattern) for of in SEARCHED)))
    return All(tuple(parts))


def sort(text: str) -> Sort:
    """`field[:asc|desc]`, joined by `;`. BadRequest for what is no field."""
    parts = text.split(";") if text.strip() else []
    if len(parts) > MAX_SORT_FIELDS:
        raise BadRequest(f"must not name more than {MAX_SORT_FIELDS} fields", "sort")
    return tuple(key for part in parts for key in _keys(part))


def _keys(part: str) -> Sort:
    name, _, given = (each.strip() for each in part.partition(":"))
    if given.lower() not in ("", "asc", "desc"):
        raise BadRequest(f"{given[:100]} is neither asc nor desc", "sort")
    direction: Direction = "desc" if given.lower() == "desc" else "asc"
    if name in FIELDS:
        return ((FIELDS[name].of, direction),)
    if name in ORGANIZATION:
        return ()
    if name.startswith(METADATA):
        path = _path(name, "sort")
        return ((MetadataPath(path, "number"), direction), (MetadataPath(path, "text"), direction))
    raise BadRequest(f"there is no field {name[:100]}", "sort")


def _path(name: str, parameter: str) -> tuple[str, ...]:
    path = tuple(name.removeprefix(METADATA).split("."))
    if not all(part and not set(part) & {'"', "\\"} for part in path):
        raise BadRequest(f"{name[:100]} is no path", parameter)
    return path


def _compare(comparison: Comparison, org: OrgId) -> Filter:
    name = comparison.field
    if name in FIELDS:
        return _of_known(FIELDS[name], comparison)
    if name in ORGANIZATION:
        return _of_organization(comparison, str(org))
    if name.startswith(METADATA):
        return _of_metadata(_path(name, "filter"), comparison)
    raise unreadable(f"there is no field {name[:100]}")


def _of_known(known: Known, comparison: Comparison) -> Filter:
    op, values = comparison.op, comparison.values
    if op in ("is_null", "not_null"):
        return Compare(known.of, op)
    reads: Mapping[Kind, Callable[[Known, Comparison, Value], Filter]] = {
        "text": _text,
        "instant": _instant,
        "count": _count,
        "id": _id,
    }
    if op == "in" and known.kind == "text":
        return OneOf(known.of, tuple(_quoted(comparison, value) for value in values))
    if op == "in":
        each = Comparison(comparison.field, "eq", ())
        return AnyOf(tuple(reads[known.kind](known, each, value) for value in values))
    return reads[known.kind](known, comparison, values[0])


def _text(known: Known, comparison: Comparison, value: Value) -> Filter:
    text = _quoted(comparison, value)
    if comparison.op == "like":
        return Compare(known.of, "like", _pattern(text))
    return _simple(known.of, comparison, text)


def _quoted(comparison: Comparison, value: Value) -> str:
    if not isinstance(value, str):
        raise _expected(comparison, "a quoted text")
    return value


def _instant(known: Known, comparison: Comparison, value: Value) -> Filter:
    """An instant counts as its whole millisecond: what a client has read finds the session that it was read of."""
    of, start = known.of, _parsed(comparison, value)
    try:
        end = start + RESOLUTION
    except OverflowError:
        raise _expected(comparison, "a date and time before the year 9999 ends") from None
    match comparison.op:
        case "eq":
            return All((Compare(of, "ge", start), Compare(of, "lt", end)))
        case "ne":
            return AnyOf((Compare(of, "lt", start), Compare(of, "ge", end)))
        case "le":
            return Compare(of, "lt", end)
        case "gt":
            return Compare(of, "ge", end)
        case _:
            return _simple(of, comparison, start)


def _parsed(comparison: Comparison, value: Value) -> datetime:
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
            parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        except (ValueError, OverflowError):
            raise _expected(comparison, "a quoted date and time") from None
        return parsed.replace(microsecond=parsed.microsecond // 1000 * 1000)
    raise _expected(comparison, "a quoted date and time")


def _count(known: Known, comparison: Comparison, value: Value) -> Filter:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _expected(comparison, "a whole number")
    return _simple(known.of, comparison, value)


def _id(known: Known, comparison: Comparison, value: Value) -> Filter:
    try:
        return _simple(known.of, comparison, SessionId(UUID(str(value))))
    except ValueError:
        raise _expected(comparison, "a quoted UUID") from None


def _of_metadata(path: tuple[str, ...], comparison: Comparison) -> Filter:
    """A value of the metadata is of whatever kind it was written as, and compares with its own kind only."""
    op, values = comparison.op, comparison.values
    if op in ("is_null", "not_null"):
        return Compare(MetadataPath(path, "any"), op)
    if op == "in":
        return AnyOf(
            tuple(_of_metadata(path, Comparison(comparison.field, "eq", (value,))) for value in values)
        )
    match values[0]:
        case bool(flag):
            if op not in ("eq", "ne"):
                raise _expected(comparison, "a quoted text or a number")
            return Compare(MetadataPath(path, "boolean"), op, "true" if flag else "false")
        case str(text):
            return _text(Known(MetadataPath(path), "text"), comparison, text)
        case number:
            return _simple(MetadataPath(path, "number"), comparison, number)


def _of_organization(comparison: Comparison, org: str) -> Filter:
    """Decided here: it is the same for every session that the key can see."""
    values = [str(value) for value in comparison.values]
    match comparison.op:
        case "eq" | "in":
            holds = org in values
        case "ne":
            holds = org not in values
        case "not_null":
            holds = True
        case "is_null":
            holds = False
        case _:
            raise unreadable(f"{comparison.field} can be compared by ==, !=, =in= and is null only")
    return EVERYTHING if holds else AnyOf(())


def _simple(of: Expression, comparison: Comparison, value: str | float | datetime | SessionId) -> Filter:
    op = comparison.op
    if op in ("like", "in", "is_null", "not_null"):
        raise unreadable(f"{comparison.field} cannot be compared by =like=")
    return Compare(of, op, value)


def _pattern(text: str) -> str:
    """A text in which `*` stands for anything, as the pattern of a `like`."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return text.replace("*", "%")


def _expected(comparison: Comparison, what: str) -> BadRequest:
    return unreadable(f"{comparison.field} is compared with {what}")
