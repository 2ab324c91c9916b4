"""What a client sends a session."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sojourn.web.dialects.everruns.wire.agent import Object


class Text(Struct, tag_field="type", tag="text", omit_defaults=True):
    text: str
    annotations: list[Object] = []


class Image(Struct, tag_field="type", tag="image", omit_defaults=True):
    url: str | None = None
    base64: str | None = None
    media_type: str | None = None


class ImageFile(Struct, tag_field="type", tag="image_file", omit_defaults=True):
    image_id: str
    filename: str | None = None


Part = Text | Image | ImageFile


class InputMessage(Struct, kw_only=True):
    content: Annotated[list[Part], Meta(min_length=1)]
    role: Literal["user"] = "user"


class Reasoning(Struct, omit_defaults=True):
    effort: str | None = None


class Controls(Struct, kw_only=True, omit_defaults=True):
    model_id: str | None = None
    reasoning: Reasoning | None = None
    locale: str | None = None
    hints: Object | None = None
    error_disclosure: Literal["generic", "standard", "detailed"] | None = None
    speed: Literal["flex", "default", "priority"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ExternalActor(Struct, kw_only=True, omit_defaults=True):
    source: str
    actor_id: str
    actor_name: str | None = None
    metadata: dict[str, str] | None = None


class NewMessage(Struct, kw_only=True):
    message: InputMessage
    controls: Controls | None = None
    metadata: Object | None = None
    tags: list[str] | None = None
    external_actor: ExternalActor | None = None
    addressed_participant_id: str | None = None
    client_message_id: str | None = None


class ToolResult(Struct, kw_only=True):
    """Of `result` and `error` one; neither is an empty result."""

    tool_call_id: Annotated[str, Meta(min_length=1)]
    result: Any = None
    error: str | None = None


class ToolResults(Struct):
    tool_results: Annotated[list[ToolResult], Meta(min_length=1, max_length=1000)]


class AcceptedResults(Struct):
    accepted: int
    status: str


class Cancelled(Struct):
    status: Literal["cancelled", "no_op"]
    message: str
