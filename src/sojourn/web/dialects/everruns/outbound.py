"""What our values of any kind look like in Everruns' format. Pure."""

from datetime import datetime


def stamp(instant: datetime) -> str:
    """Microseconds and a Z: what a client reads of an instant, it can compare with and send back."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
