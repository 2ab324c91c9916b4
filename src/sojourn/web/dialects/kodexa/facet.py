"""What Kodexa's clients say of a session and the core has no word for, as it is stored beside the session. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from sojourn.web.kit.facets import FacetText

DIALECT: Final = "kodexa"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Facet(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """Instants are microseconds since the Unix epoch, so that filters compare them with the core's own."""

    agent_runtime_id: str | None = None
    expires_at: int | None = None
    last_invoked_at: int | None = None


_TEXT: Final = FacetText(Facet)
NOTHING: Final = _TEXT.nothing
to_text: Final = _TEXT.to_text
of_text: Final = _TEXT.of_text


def micros(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND


def instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
