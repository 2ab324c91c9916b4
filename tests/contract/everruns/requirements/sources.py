"""Where it is written what the dialect must do."""

from typing import Final

OPENAPI: Final = "the vendor's published OpenAPI document"
PAGE: Final = "docs.everruns.com: api, POST /v1/sessions"
CLIENT: Final = "PyPI everruns-sdk 0.3.1"
SERVER: Final = "the vendor's server, as its sources and specifications describe it"
OURS: Final = "docs: one session, every dialect"
