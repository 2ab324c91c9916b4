"""The seam between the model loop and whoever answers: one request, one stream, one answer.

ModelCallFailed
├── TransientModelError    the same request may succeed later
└── FatalModelError        the same request will fail again
    └── ContextFull        because the conversation is longer than the model can read
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sojourn.domain.content import Message, ToolCallPart, Usage
from sojourn.domain.ids import OrgId
from sojourn.domain.provider import OWN_CHOICE, CallSettings, Endpoint

FinishReason = Literal["stop", "length", "content_filter", "tool_call", "error", "unknown"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it. `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One model call. `model` is `provider/name` or `provider:name`; `call` counts a turn's model calls from 1.

    `faults` is how often this call has failed in passing before. `settings` and `endpoint` are what the organisation
    has stored for the model; None of an endpoint is what the server knows itself.
    """

    model: str
    instructions: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    call: int
    faults: int = 0
    settings: CallSettings = OWN_CHOICE
    endpoint: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's text; never empty. Concatenated, the deltas are `ModelAnswer.text`."""

    text: str


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A whole answer. `provider` and `model` are what answered, which may be more exact than what was asked for.

    `usage.cost_usd` is None where the price is not known. `simulated` says that no model was asked.
    """

    text: str
    tool_calls: tuple[ToolCallPart, ...]
    usage: Usage
    finish_reason: FinishReason
    provider: str
    model: str
    simulated: bool = False


class ModelCallFailed(Exception):
    """A model call that gave no answer; the first argument is its one sentence."""


class TransientModelError(ModelCallFailed):
    """The provider was unreachable, overloaded or limiting. `retry_after_seconds` is its own hint, if it gave one."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class FatalModelError(ModelCallFailed):
    """The request, its credentials or the configuration is wrong."""


class ContextFull(FatalModelError):
    """The conversation is longer than the model can read."""


class ModelClient(Protocol):
    """Whoever answers model requests.

    The last item of a stream is the `ModelAnswer`; a stream without one has raised `ModelCallFailed`. Close a stream
    that is given up early (`contextlib.aclosing`), so that the provider stops generating.
    """

    def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | ModelAnswer, None]: ...


# The client of an organisation's model, by its name.
ClientFor = Callable[[OrgId, str], ModelClient]
