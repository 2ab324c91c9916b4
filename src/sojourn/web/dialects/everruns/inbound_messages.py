"""What Everruns' clients send to sessions, in our values. Pure."""

from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec

from sojourn.domain.content import TextPart
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import KeyId, SessionId
from sojourn.domain.kinds import Json
from sojourn.service.inputs import NewInput
from sojourn.service.results import Repeat
from sojourn.web.dialects.everruns.locale import normalised
from sojourn.web.dialects.everruns.session_facet import DIALECT
from sojourn.web.dialects.everruns.wire import message as wire
from sojourn.web.kit.values import check_free_form

OPERATION: Final = "everruns.messages.create"
MAX_KEYS: Final = 1_000
MAX_FREE_BYTES: Final = 1024 * 1024


def new_input(said: wire.NewMessage) -> NewInput:
    """It steers a turn that runs, and starts one otherwise."""
    facet = _facet(said)
    return NewInput(
        content=tuple(_text(part) for part in said.message.content),
        delivery="steer",
        facets={DIALECT: facet} if facet else {},
    )


def _text(part: wire.Part) -> TextPart:
    """What our models are told of it: they read texts only."""
    match part:
        case wire.Text(text=text):
            return TextPart(text)
        case wire.Image(url=url):
            return TextPart(f"[image: {url}]" if url else "[image]")
        case wire.ImageFile(image_id=id, filename=name):
            return TextPart(f"[image: {name or id}]")


def _facet(said: wire.NewMessage) -> dict[str, Json]:
    """What is given back with the message, and stands in none of our words."""
    facet: dict[str, Json] = {}
    if any(not isinstance(part, wire.Text) or part.annotations for part in said.message.content):
        facet["content"] = msgspec.to_builtins(said.message.content)
    for name, value in (
        ("controls", _controls(said.controls)),
        ("metadata", _free("metadata", said.metadata)),
        ("tags", said.tags),
        ("external_actor", said.external_actor),
        ("addressed_participant_id", said.addressed_participant_id),
        ("client_message_id", said.client_message_id),
    ):
        if value is not None:
            facet[name] = msgspec.to_builtins(value)
    return facet


def _controls(said: wire.Controls | None) -> wire.Controls | None:
    if said is None:
        return None
    _free("controls.hints", said.hints)
    if said.locale is None:
        return said
    return msgspec.structs.replace(said, locale=normalised(said.locale))


def _free(field: str, value: dict[str, Any] | None) -> dict[str, Any] | None:
    check_free_form(field, value or {}, MAX_KEYS, MAX_FREE_BYTES)
    return value


def repeat(said: wire.NewMessage, session: SessionId, key: KeyId) -> Repeat | None:
    """How the message is known again when its client sends it twice; None if it gave it no id of its own."""
    if said.client_message_id is None:
        return None
    try:
        id = UUID(said.client_message_id)
    except ValueError:
        raise InvalidRequest("client_message_id", "must be a UUID") from None
    same = sha256(msgspec.json.encode(said, order="sorted")).digest()
    return Repeat(key, OPERATION, f"{session}/{id}", same)
