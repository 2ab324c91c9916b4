"""Membrane's JSON: camel case, instants that end in Z, and no null anywhere: what is absent is left out.

Source: the vendor's OpenAPI, tag *Sessions*; `@membranehq/sdk` 0.28, whose schemas refuse a null.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Status = Literal["queued", "starting", "running", "completed", "failed", "cancelled"]
State = Literal["busy", "idle"]
ElementType = Literal[
    "customer",
    "app",
    "connector",
    "integration",
    "flow",
    "flow-instance",
    "flow-run",
    "action",
    "package",
    "action-instance",
    "connection",
    "field-mapping",
    "field-mapping-instance",
    "data-source",
    "data-source-instance",
    "data-link-table",
    "data-link-table-instance",
    "app-event-type",
    "app-event-subscription",
    "app-event-log-record",
    "app-data-schema",
    "app-data-schema-instance",
    "external-event-subscription",
    "external-event-log-record",
    "external-event-pull",
    "external-event-type",
    "screen",
    "action-run-log-record",
    "external-api-log-record",
    "incoming-webhook-log-record",
    "connected-product",
]
AgentName = Literal[
    "membrane", "membrane-core", "self-integrating", "connection-building", "action-building", "universe"
]
ModelId = Literal[
    "anthropic/claude-sonnet-4.6",
    "anthropic/claude-opus-4.6",
    "anthropic/claude-sonnet-4.5",
    "anthropic/claude-opus-4.5",
    "anthropic/claude-haiku-4.5",
    "openai/gpt-5.2",
    "openai/gpt-5-nano",
    "google/gemini-3-pro-preview",
    "moonshotai/kimi-k2.5",
]
ErrorType = Literal[
    "bad_request",
    "connection",
    "configuration",
    "dependency_error",
    "flow_run",
    "flow_instance_setup",
    "concurrency",
    "internal",
    "action_run",
    "action_instance_setup",
    "unit_run",
    "custom_code",
    "insufficient_credit",
    "openrouter_not_configured",
]
Filled = Annotated[str, Meta(min_length=1)]


class Attachment(Struct):
    title: str
    data: Any


class CreateAgentSession(Struct, rename="camel", kw_only=True):
    prompt: Filled
    workspace_element_type: ElementType | UnsetType = UNSET
    workspace_element_id: Filled | UnsetType = UNSET
    test_customer_id: str | UnsetType = UNSET
    is_external: bool | UnsetType = UNSET
    model_id: ModelId | UnsetType = UNSET
    agent_name: AgentName | UnsetType = UNSET
    agent_harness_id: Filled | UnsetType = UNSET
    prompt_attachments: list[Attachment] = []


class AgentSessionInput(Struct, kw_only=True):
    """`synthetic` says that nobody typed it."""

    input: Filled
    synthetic: bool = False
    attachments: list[Attachment] = []


class ErrorData(Struct, rename="camel", kw_only=True):
    """An error body, and the `error` of a session. The SDK makes its own errors of the known types only."""

    type: ErrorType | UnsetType = UNSET
    key: str | UnsetType = UNSET
    message: str
    data: Any = UNSET
    stack: Any = UNSET
    caused_by_error: "ErrorData | UnsetType" = UNSET
    logs: list[Any] | UnsetType = UNSET


class PatchAgentSession(Struct, rename="camel", kw_only=True):
    """A worker's report. `last_activity_at` is an instant in text, or Unix time in milliseconds."""

    state: State | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    title: str | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    error: ErrorData | UnsetType = UNSET
    output: dict[str, Any] | UnsetType = UNSET
    last_activity_at: str | int | float | UnsetType = UNSET
    opencode_session_uuid: str | UnsetType = UNSET


class ListQuery(Struct, rename="camel", kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: str | UnsetType = UNSET
    workspace_element_type: ElementType | UnsetType = UNSET
    workspace_element_id: str | UnsetType = UNSET
    agent_harness_id: str | UnsetType = UNSET
    start_datetime: str | UnsetType = UNSET
    end_datetime: str | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    is_external: str | UnsetType = UNSET
    token: str = ""


class GetQuery(Struct):
    """`timeout` is in seconds."""

    wait: str = ""
    timeout: Annotated[int, Meta(ge=1, le=60)] = 30
    token: str = ""


class ScreenForm(Struct, rename="camel"):
    """`theme` is light, dark or auto."""

    token: str = ""
    session_id: str = ""
    theme: str = "auto"


class AgentSession(Struct, rename="camel", kw_only=True):
    id: str
    workspace_id: str
    workspace_element_type: str
    workspace_element_id: str
    type: str = "agent"
    status: Status
    state: State
    prompt: str
    last_activity_at: str
    has_worker: bool
    created_at: str
    updated_at: str
    tenant_id: str | UnsetType = UNSET
    error: ErrorData | UnsetType = UNSET
    title: str | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    cost: float | UnsetType = UNSET
    is_external: bool | UnsetType = UNSET
    agent_name: str | UnsetType = UNSET
    agent_harness_id: str | UnsetType = UNSET
    model_id: str | UnsetType = UNSET
    output: dict[str, Any] | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET


class Sessions(Struct):
    """The last page has no cursor."""

    items: list[AgentSession]
    cursor: str | UnsetType = UNSET


class Interrupted(Struct):
    interrupted: bool


class Time(Struct):
    """Milliseconds since the Unix epoch."""

    created: int
    completed: int | UnsetType = UNSET


class Span(Struct):
    start: int
    end: int | UnsetType = UNSET


class Cache(Struct):
    read: int = 0
    write: int = 0


class Tokens(Struct):
    cache: Cache
    input: int = 0
    output: int = 0
    reasoning: int = 0


class MessagePath(Struct):
    cwd: str = "/"
    root: str = "/"


_OPENCODE = {
    "session_id": "sessionID",
    "parent_id": "parentID",
    "model_id": "modelID",
    "provider_id": "providerID",
    "message_id": "messageID",
    "call_id": "callID",
}


class Info(Struct, kw_only=True, rename=_OPENCODE):
    """opencode's description of a message (npm `@opencode-ai/sdk`, UserMessage and AssistantMessage)."""

    id: str
    role: Literal["user", "assistant"]
    session_id: str
    time: Time
    parent_id: str | UnsetType = UNSET
    model_id: str | UnsetType = UNSET
    provider_id: str | UnsetType = UNSET
    mode: str | UnsetType = UNSET
    path: MessagePath | UnsetType = UNSET
    cost: float | UnsetType = UNSET
    tokens: Tokens | UnsetType = UNSET
    error: dict[str, Any] | UnsetType = UNSET


class ToolState(Struct, kw_only=True):
    status: Literal["pending", "running", "completed", "error"]
    input: dict[str, Any]
    title: str | UnsetType = UNSET
    output: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    time: Span | UnsetType = UNSET


class MessagePart(Struct, kw_only=True, rename=_OPENCODE):
    """One of opencode's parts: `text`, `tool`, `step-start` or `step-finish`."""

    id: str
    session_id: str
    message_id: str
    type: Literal["text", "tool", "step-start", "step-finish"]
    text: str | UnsetType = UNSET
    synthetic: bool | UnsetType = UNSET
    time: Span | UnsetType = UNSET
    call_id: str | UnsetType = UNSET
    tool: str | UnsetType = UNSET
    state: ToolState | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    cost: float | UnsetType = UNSET
    tokens: Tokens | UnsetType = UNSET


class Message(Struct):
    """Readers take either `info` or the flat `id` and `role`."""

    id: str
    role: Literal["user", "assistant"]
    info: Info
    parts: list[MessagePart]
