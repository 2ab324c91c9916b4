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
_read_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_read_text: Final = msgspec.json.Decoder(str).decode


def new_input(payload: bytes) -> NewInput:
    """The text of a payload, which is JSON whatever type of content it is said to be: `prompt`, or else all of it.

    What stands beside the prompt is sent to an agent behind HTTP.
    """
    prompt = _prompt(payload)
    if b"\\u0000" in payload:
        refuse_nul(parse_json(payload))
    try:
        if prompt is None:
            return NewInput(content=(TextPart(payload.decode()),))
        return NewInput(content=(TextPart(prompt),), payload=_beside(payload))
    except UnicodeDecodeError as error:
        raise unreadable(error) from None


def _beside(payload: bytes) -> str:
    """What an object holds beside its prompt, as it was written."""
    members = _read_members(payload)
    del members["prompt"]
    return msgspec.json.encode(members).decode()


def _prompt(payload: bytes) -> str | None:
    try:
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
