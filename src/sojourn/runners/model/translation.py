"""Our messages, tools and usage in pydantic-ai's words and back: pure functions. Imports pydantic-ai."""

from decimal import Decimal
from typing import Literal, assert_never

from genai_prices import calc_price
from pydantic_ai import messages as theirs
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from sojourn.domain.content import Message, TextPart, ToolCallPart, ToolResultPart, ToolStatus, Usage
from sojourn.domain.provider import CallSettings
from sojourn.runners.model.client import FinishReason, ModelAnswer, ModelRequest
from sojourn.runners.model.reference import COMPATIBLE, LOCAL

# A result that did not come from the tool must say so, or the model takes silence for success.
_WORDS = {"done": "", "error": "error", "unknown": "unknown: worker lost", "cancelled": "cancelled"}


def outbound_parameters(request: ModelRequest) -> ModelRequestParameters:
    return ModelRequestParameters(
        function_tools=[
            ToolDefinition(
                name=tool.name, description=tool.description, parameters_json_schema=dict(tool.parameters)
            )
            for tool in request.tools
        ],
        instruction_parts=[theirs.InstructionPart(request.instructions)] if request.instructions else None,
    )


def outbound_settings(settings: CallSettings) -> ModelSettings:
    """What is None is left to the provider."""
    given = ModelSettings()
    if settings.temperature is not None:
        given["temperature"] = settings.temperature
    if settings.top_p is not None:
        given["top_p"] = settings.top_p
    if settings.max_tokens is not None:
        given["max_tokens"] = settings.max_tokens
    return given


def outbound_messages(request: ModelRequest) -> list[theirs.ModelMessage]:
    """The conversation, oldest first. Tool results and the user's words behind them go as one request.

    Anthropic wants every tool result in the very next message after its call, whatever a user says in between.
    """
    history: list[theirs.ModelMessage] = []
    for message in request.messages:
        if message.role == "assistant":
            history.append(theirs.ModelResponse(parts=_response_parts(message)))
            continue
        parts = _request_parts(message)
        if history and isinstance(last := history[-1], theirs.ModelRequest):
            history[-1] = theirs.ModelRequest(parts=[*last.parts, *parts])
        else:
            history.append(theirs.ModelRequest(parts=parts))
    return history


def _response_parts(message: Message) -> list[theirs.ModelResponsePart]:
    parts: list[theirs.ModelResponsePart] = []
    for part in message.parts:
        match part:
            case TextPart(text):
                parts.append(theirs.TextPart(text))
            case ToolCallPart(id, name, arguments):
                parts.append(theirs.ToolCallPart(name, arguments, id))
            case ToolResultPart():
                raise ValueError("An assistant's message carries a tool result.")
            case _:
                assert_never(part)
    return parts


def _request_parts(message: Message) -> list[theirs.ModelRequestPart]:
    parts: list[theirs.ModelRequestPart] = []
    for part in message.parts:
        match part:
            case TextPart(text):
                parts.append(theirs.UserPromptPart(text))
            case ToolResultPart(id, name, status, output):
                parts.append(
                    theirs.ToolReturnPart(name, output or _WORDS[status], id, outcome=_outcome(status))
                )
            case ToolCallPart():
                raise ValueError("A user's or a tool's message carries a tool call.")
            case _:
                assert_never(part)
    return parts


def _outcome(status: ToolStatus) -> Literal["success", "failed", "interrupted"]:
    match status:
        case "done":
            return "success"
        case "error":
            return "failed"
        case "unknown" | "cancelled":
            return "interrupted"
        case _:
            assert_never(status)


def inbound_text(event: theirs.ModelResponseStreamEvent) -> str:
    """The text that one event of a stream adds to the answer, or an empty string."""
    match event:
        case theirs.PartStartEvent(part=theirs.TextPart(content=text)):
            return text
        case theirs.PartDeltaEvent(delta=theirs.TextPartDelta(content_delta=text)):
            return text
        case _:
            return ""


def inbound_answer(response: theirs.ModelResponse, text: str, provider: str, model: str) -> ModelAnswer:
    """The answer; `provider` and `model` were asked for, and stand in where the response names none."""
    return ModelAnswer(
        text=text,
        tool_calls=tuple(
            ToolCallPart(call.tool_call_id, call.tool_name, _arguments(call)) for call in response.tool_calls
        ),
        usage=_usage(response, provider),
        finish_reason=_finish_reason(response),
        provider=response.provider_name or provider,
        model=response.model_name or model,
    )


def _arguments(call: theirs.ToolCallPart) -> str:
    # Most providers stream the text that their model wrote; Google sends an object, and some send nothing for none.
    return call.args if isinstance(call.args, str) and call.args else call.args_as_json_str()


def _finish_reason(response: theirs.ModelResponse) -> FinishReason:
    reason = response.finish_reason
    return reason if reason is not None else "unknown"


def _usage(response: theirs.ModelResponse, provider: str) -> Usage:
    usage = response.usage
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cost_usd=_cost(response, provider),
    )


def _cost(response: theirs.ModelResponse, provider: str) -> Decimal | None:
    """The price in US dollars: what a gateway says it charged, else the price list's, else None; never a guess."""
    if provider == LOCAL:
        return Decimal(0)
    if response.usage.cost is not None:
        return response.usage.cost
    if response.usage.unmeasured_requests or not response.model_name:
        return None
    try:
        if provider == COMPATIBLE:
            # A model's name says nothing of what an unknown server asks for it; a known server's address does.
            return calc_price(
                response.usage, response.model_name, provider_api_url=response.provider_url
            ).total_price
        return response.cost().total_price
    except LookupError:
        return None
