"""Instants as texts that clients compare and send back. Pure."""

from datetime import datetime


def milliseconds(instant: datetime) -> str:
    """As JavaScript writes one: milliseconds, and a Z in the place of the offset. Every instant of ours is in UTC."""
    return f"{instant.isoformat(timespec='milliseconds')[:-6]}Z"
