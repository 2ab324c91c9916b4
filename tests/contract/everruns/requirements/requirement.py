"""One thing that the dialect must do."""

from dataclasses import dataclass
from typing import Final

OPENAPI: Final = "the vendor's published OpenAPI document"
PAGE: Final = "docs.everruns.com: api, POST /v1/sessions"
CLIENT: Final = "PyPI everruns-sdk 0.3.1"
SERVER: Final = "the vendor's server, as its sources and specifications describe it"
OURS: Final = "docs: one session, every dialect"


@dataclass(frozen=True)
class Requirement:
    """`divergence` says how and why Sojourn does something else than the source."""

    id: str
    source: str
    sentence: str
    divergence: str | None = None
