"""Our values in the runtime's format. Pure."""

from collections.abc import Callable
from typing import Final

import msgspec

from sojourn.web.dialects.agentcore import wire
from sojourn.web.dialects.agentcore.answer import Answer, Piece

# What says where in a trace a call belongs is given back as it came.
TRACES: Final = (b"x-amzn-trace-id", b"traceparent", b"tracestate", b"baggage")

_encode: Final = msgspec.json.Encoder().encode


def whole(answer: Answer) -> wire.Answer:
    waiting = msgspec.UNSET if answer.waiting is None else answer.waiting
    return wire.Answer(answer.text, waiting)


def line(piece: Piece | wire.Waiting | wire.StreamFailure) -> bytes:
    """One line of a stream: the text itself as a JSON string, or an object that says something else."""
    return b"data: %b\n\n" % _encode(piece)


def headers(session: str, header: Callable[[bytes], str | None]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that were in its request, or might have been."""
    traces = [(name, value.encode("latin-1")) for name in TRACES if (value := header(name)) is not None]
    return [(wire.SESSION, session.encode()), *traces]
