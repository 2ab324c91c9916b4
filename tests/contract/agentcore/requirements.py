"""What the dialect must do, where that is written, and where Sojourn differs on purpose.

A test says by `covers` which of these it shows; `tests/contract/test_requirements.py` checks that none is left out.
"""

from typing import Final

from tests.contract.requirement import Requirement, covering

MODEL: Final = "botocore 1.44.5: the model of bedrock-agentcore, 2024-02-28"
CLIENT: Final = "PyPI boto3 1.44.5"
GUIDE: Final = "AWS: the developer guide of Bedrock AgentCore, runtime sessions"
HTTP: Final = "RFC 9110, section 12.5.1"
CONTAINER: Final = "PyPI bedrock-agentcore 1.25.0, bedrock_agentcore/runtime/app.py"
OURS: Final = "docs: one session, every dialect"

REQUIREMENTS: Final = (
    Requirement(
        "invoke.payload",
        MODEL,
        "A payload is bytes of any content type, which the agent interprets.",
        "It is read as JSON whatever its type is said to be; what is none is a ValidationException, CannotParse.",
    ),
    Requirement("invoke.prompt", CONTAINER, "The payload's prompt is the text for the agent."),
    Requirement(
        "invoke.beside",
        CONTAINER,
        "What a payload holds beside its prompt reaches the app behind HTTP, and the log.",
    ),
    Requirement("invoke.no-prompt", OURS, "A payload without a text as prompt is the text as a whole."),
    Requirement("invoke.result", CONTAINER, 'The answer of the agent is JSON: {"result": text}.'),
    Requirement(
        "invoke.messages", OURS, "The messages of one turn are one answer, a blank line between them."
    ),
    Requirement("invoke.implicit", GUIDE, "The first invocation with a session id makes the session."),
    Requirement("invoke.same", GUIDE, "A later invocation with that id continues the same session."),
    Requirement("invoke.parallel", OURS, "First invocations that come at once make one session."),
    Requirement("invoke.reopen", GUIDE, "An invocation with the id of an ended session starts it again."),
    Requirement("invoke.newest", OURS, "Of several sessions of one id the newest is meant."),
    Requirement(
        "invoke.queue", OURS, "An invocation during another waits for it, and is answered by itself."
    ),
    Requirement("invoke.no-id", MODEL, "The session id is optional; the answer says which one it was given."),
    Requirement("invoke.echo", MODEL, "The answer has the session id in the header of the request."),
    Requirement(
        "invoke.id-checked",
        MODEL,
        "A session id has 33 to 256 characters in requests, and is of letters, digits, - and _ in answers.",
        "Both hold for requests, or an answer could not say the id; the answers' limit of 100 does not hold.",
    ),
    Requirement("invoke.arn", CLIENT, "The ARN stands in the path with its slash and colons encoded."),
    Requirement("invoke.runtime-id", MODEL, "A runtime id with an accountId may stand for the ARN."),
    Requirement("invoke.account-id", MODEL, "An accountId has twelve digits."),
    Requirement(
        "invoke.agent",
        MODEL,
        "The ARN says which agent is invoked, and in which of them a session is.",
        "A new session has the agent that is called like the runtime, with or without the end of its id, else the"
        " default agent; the session id alone names the session.",
    ),
    Requirement("invoke.kept", OURS, "ARN, qualifier, account and user of the first invocation are kept."),
    Requirement("invoke.trace", MODEL, "The trace headers of a request are those of its answer."),
    Requirement(
        "invoke.repeated",
        CLIENT,
        "The client sends a call again when its answer takes too long, under the same amz-sdk-invocation-id.",
        "AWS promises nothing of it; here such a repetition, or one by Idempotency-Key, joins the first turn.",
    ),
    Requirement("invoke.disconnect", OURS, "A client that goes leaves its turn running."),
    Requirement("invoke.failed", MODEL, "An agent that fails is a RuntimeClientError, 424."),
    Requirement(
        "invoke.stopped", OURS, "A turn that somebody stops, or an input withdrawn, is a RuntimeClientError."
    ),
    Requirement(
        "invoke.waits",
        CONTAINER,
        "The answer is the agent's last word.",
        "A turn that waits for a decision is answered with what was said so far and `waiting`, its questions.",
    ),
    Requirement(
        "invoke.child",
        OURS,
        "A turn that waits for a session that it has started is waited for, and so is a call behind it.",
    ),
    Requirement(
        "invoke.cut", OURS, "The repetition of a call that was cut from its session's log is not found."
    ),
    Requirement(
        "invoke.held-up",
        CONTAINER,
        "Every invocation is run.",
        "Behind a turn that waits, or in a session that is driven from outside, it is kept for later and"
        " answered with `waiting`.",
    ),
    Requirement("invoke.limit", MODEL, "A payload may have 100 MB."),
    Requirement("invoke.archived", MODEL, "What the state of a session forbids is a ConflictException."),
    Requirement("stream.lines", CONTAINER, "Texts come as they are made, each as JSON in a data: line."),
    Requirement(
        "stream.weight",
        HTTP,
        "A type of answer of less weight than another, or of none, is not the one to be sent.",
    ),
    Requirement("stream.accept", MODEL, "Accept says which type of answer is wanted."),
    Requirement(
        "stream.refused", MODEL, "What fails before the first text is an exception, as without a stream."
    ),
    Requirement("stream.failure", CONTAINER, "What fails later is a last line with error and error_type."),
    Requirement(
        "stream.waits",
        CONTAINER,
        "A stream ends with the agent's last word.",
        'One whose turn waits ends with a line {"waiting": its questions}.',
    ),
    Requirement(
        "stream.abandoned",
        CONTAINER,
        "A text that was streamed stands.",
        'Where a worker was lost in a message, a line {"abandoned": n} voids the last n characters.',
    ),
    Requirement("stop.completed", MODEL, "StopRuntimeSession ends the session."),
    Requirement("stop.echo", MODEL, "Its answer has the session id in the header."),
    Requirement("stop.streams", GUIDE, "It stops any answer that is being streamed."),
    Requirement("stop.token", MODEL, "The same clientToken brings the same answer, and stops nothing again."),
    Requirement(
        "stop.other-token", MODEL, "A token of another stop is an IdempotentParameterMismatchException."
    ),
    Requirement(
        "stop.token-checked", MODEL, "A clientToken has 33 to 256 letters, digits and inner hyphens."
    ),
    Requirement("stop.no-body", MODEL, "The clientToken is optional."),
    Requirement("stop.unknown", GUIDE, "A session that is not found, or has ended, is 404."),
    Requirement("stop.needs-id", MODEL, "The session id of a stop is required."),
    Requirement(
        "policy.defaults", GUIDE, "A session ends after 900 s without an invocation, or 28,800 s in all."
    ),
    Requirement(
        "auth.signed",
        CLIENT,
        "A request is signed: Signature Version 4.",
        "The access key id is the Sojourn key. Only its hash is kept, so that no signature can be checked.",
    ),
    Requirement("auth.presigned", CLIENT, "The signature may stand in the query."),
    Requirement("auth.bearer", GUIDE, "Callers by OAuth send a bearer token."),
    Requirement(
        "auth.refused",
        MODEL,
        "A bad token is an UnauthorizedException, a bad signature one of AWS's common errors.",
        "Without a good key it is always UnauthorizedException, 401.",
    ),
    Requirement("auth.role", MODEL, "What a key may not do is an AccessDeniedException, 403."),
    Requirement("auth.organisation", OURS, "A session id of another organisation names another session."),
    Requirement("error.shape", CLIENT, "Every error has its type in a header, a message and a request id."),
    Requirement("error.typed", CLIENT, "The client raises each error by its own type."),
    Requirement(
        "error.fields", MODEL, "A ValidationException has a reason, and a fieldList where it is of fields."
    ),
    Requirement("error.unknown-path", MODEL, "An unknown path is a ResourceNotFoundException."),
    Requirement(
        "error.method",
        MODEL,
        "There is no error for a wrong method.",
        "It is a ValidationException of status 405.",
    ),
    Requirement(
        "error.no-redirect", OURS, "There is no redirect, and slashes before the prefix do not count."
    ),
    Requirement("error.nul", OURS, "A NUL character in a payload is refused."),
    Requirement("error.stops", MODEL, "A server that stops is an InternalServerException: repeat the call."),
    Requirement(
        "optional",
        MODEL,
        "There are InvokeAgentRuntimeCommand, GetAgentCard and a WebSocket.",
        "They are not offered: ResourceNotFoundException.",
    ),
    Requirement("shared.natively", OURS, "A session made here is listed and read natively."),
    Requirement(
        "shared.kodexa", OURS, "Kodexa lists it with its runtimeSessionId, and its records are invoked."
    ),
    Requirement(
        "shared.by-id", OURS, "A session that was made without a session id is invoked by its own id."
    ),
    Requirement(
        "shared.deleted", OURS, "The id of a session that was deleted is not found, and names no other."
    ),
)

covers: Final = covering(REQUIREMENTS)
