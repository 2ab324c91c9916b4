"""The runtime's JSON. Most of a request stands in its headers and path.

Source: botocore's model of `bedrock-agentcore`, 2024-02-28 (rest-json). What an answer's body looks like is the agent's
own business there; here it is what `bedrock-agentcore`'s own application makes of a text or of texts that are yielded.
"""

from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

SESSION: Final = b"x-amzn-bedrock-agentcore-runtime-session-id"


class Query(Struct, rename="camel"):
    """`qualifier` names an endpoint of the runtime, `accountId` its account where its ARN is not given whole."""

    qualifier: str | None = None
    account_id: Annotated[str, Meta(pattern=r"^[0-9]{12}\Z")] | None = None


class Payload(Struct):
    """As much as is read of a payload that is an object."""

    prompt: Raw | UnsetType = UNSET


class Stop(Struct, rename="camel"):
    client_token: (
        Annotated[str, Meta(min_length=33, max_length=256, pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*\Z")] | None
    ) = None


class Facet(Struct, rename="camel", omit_defaults=True):
    """What the invocation that made a session said beside its payload."""

    agent_runtime_arn: str
    qualifier: str | None = None
    account_id: str | None = None
    runtime_user_id: str | None = None


class Ask(Struct, rename="camel"):
    """A question that the session waits for, to be decided elsewhere: the runtime has no verb for that."""

    ask_id: str
    kind: str
    prompt: dict[str, Any]


class Waiting(Struct):
    """The end of a stream whose turn goes on once these are decided.

    There are none where it waits for a budget, or for the process outside that drives the session.
    """

    waiting: list[Ask]


class Answer(Struct):
    result: str
    waiting: list[Ask] | UnsetType = UNSET


class Abandoned(Struct):
    """So many characters at the end of what was streamed are void: they were part of a message that was lost."""

    abandoned: int


class StreamFailure(Struct):
    """The last line of a stream that fails, as `bedrock-agentcore` writes it."""

    error: str
    error_type: str
    message: str = "An error occurred during streaming"


class Field(Struct):
    name: str
    message: str


class Failure(Struct, rename="camel", omit_defaults=True):
    """`reason` and `fieldList` belong to a ValidationException."""

    message: str
    reason: str | None = None
    field_list: list[Field] | None = None
