"""The place of an event in a log, as Everruns counts. Pure."""

from sojourn.web.dialects.everruns.wire.event import Event


def sequence_of(event: Event) -> int:
    """Everything that is read from a log has a sequence."""
    assert isinstance(event.sequence, int)
    return event.sequence
