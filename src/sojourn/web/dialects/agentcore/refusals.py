"""What this dialect refuses by itself, beyond what every surface does."""

from typing import ClassVar

from sojourn.web.kit.refusals import RequestRefused


class TurnNotCompleted(RequestRefused):
    """The agent failed, or somebody stopped it."""

    code: ClassVar[str] = "turn_not_completed"


class ServerStops(RequestRefused):
    """The turn goes on after the next start; a client that repeats its call then hears its end."""

    code: ClassVar[str] = "server_stops"

    def __init__(self) -> None:
        super().__init__("The server stops; repeat the request.")


class NotOffered(RequestRefused):
    code: ClassVar[str] = "not_offered"

    def __init__(self, what: str) -> None:
        super().__init__(f"This server offers no {what}.")
