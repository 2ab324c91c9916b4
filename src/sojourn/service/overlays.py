"""What a session may add to its agent."""

from typing import Final

import msgspec

from sojourn.domain.capability import Catalogue
from sojourn.domain.client_tools import check_client_tools
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.overlay import NOTHING_ADDED, Overlay

# A record of a list carries its overlay, so it is no place for a library.
MAX_OVERLAY_BYTES: Final = 256 * 1024


def accepted(overlay: Overlay | None, runner: RunnerKind, catalogue: Catalogue) -> Overlay | None:
    """The overlay to store, None for one that adds nothing. InvalidRequest for one that no turn could run with."""
    if overlay is None or overlay == NOTHING_ADDED:
        return None
    check_client_tools("overlay.client_tools", overlay.client_tools)
    catalogue.check(runner, overlay.tools, overlay.capabilities, "overlay.")
    if len(msgspec.json.encode(overlay)) > MAX_OVERLAY_BYTES:
        raise InvalidRequest("overlay", f"must not be larger than {MAX_OVERLAY_BYTES} bytes of JSON")
    return overlay
