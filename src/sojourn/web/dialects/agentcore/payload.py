"""What an invocation says to the agent."""

from typing import Final

import msgspec

from sojourn.domain.content import TextPart
from sojourn.service.inputs import NewInput
from sojourn.web.dialects.agentcore import wire
from sojourn.web.kit.body import TOO_DEEP, parse_json, unreadable
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.values import refuse_nul

# A view of bytes gives numbers.
QUOTE: Final = ord('"')

_read_payload: Final = msgspec.json.Decoder(wire.Payload).decode
_read_text: Final = msgspec.json.Decoder(str).decode


def new_input(payload: bytes) -> NewInput:
    return NewInput(content=(TextPart(_text(payload)),))


def _text(payload: bytes) -> str:
    """The text of a payload, which is JSON whatever type of content it is said to be: `prompt`, or else all of it."""
    prompt = _prompt(payload)
    if b"\\u0000" in payload:
        refuse_nul(parse_json(payload))
    try:
        return payload.decode() if prompt is None else prompt
    except UnicodeDecodeError as error:
        raise unreadable(error) from None


def _prompt(payload: bytes) -> str | None:
    try:
        # The rest of an object is checked and not kept: a payload may be a hundred megabytes.
        prompt = _read_payload(payload).prompt
        if not isinstance(prompt, msgspec.Raw) or memoryview(prompt)[0] != QUOTE:
            return None
        return _read_text(prompt)
    except msgspec.ValidationError:
        # No object, but perhaps JSON.
        parse_json(payload)
        return None
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(error) from None
