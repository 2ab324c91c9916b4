"""The agent execution API: one agent for whoever may call it."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OURS, SERVER
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement(
        "channel.id",
        SERVER,
        "A channel has an id of its own, and an agent may have several.",
        "Every agent is one channel: apichan_, appchan_ or agent_ and the agent's digits, or the agent's name.",
    ),
    Requirement(
        "channel.order",
        SERVER,
        "Liveness is checked before the credential: 403.",
        "The credential says of which organisation the agent is, so it comes first (401); then 404, then 403.",
    ),
    Requirement("channel.card", CLIENT, "The card says what a caller needs to start talking to the agent."),
    Requirement("channel.create", CLIENT, "A session is made with or without a title: 201 and where it is."),
    Requirement("channel.metadata", SERVER, "Metadata of a new session is refused, and a long title."),
    Requirement(
        "channel.idempotency",
        SERVER,
        "The same key and body is answered as before, another body is 422, each caller has keys of its own.",
    ),
    Requirement(
        "channel.idempotency-wait",
        SERVER,
        "While the first request runs, a second one with its key is 409.",
        "It waits for the first, which is never longer than one transaction, and is answered as it was.",
    ),
    Requirement(
        "channel.list", CLIENT, "Sessions are listed, the most recently active first, in pages by token."
    ),
    Requirement("channel.session", SERVER, "A session shows its status and how its last turn ended."),
    Requirement("channel.agent", SERVER, "Another agent's session is not found, as one that is not there."),
    Requirement(
        "channel.end-user",
        CLIENT,
        "End-User tells for whom a caller acts, who meets no session of another's.",
    ),
    Requirement(
        "channel.every-session",
        OURS,
        "A caller sees the sessions that it made.",
        "A key is the organisation's: without End-User it sees every session of the agent, however it was made.",
    ),
    Requirement(
        "channel.send",
        CLIENT,
        "A message of texts starts a turn, or steers the one that runs: 201, and what came of it.",
    ),
    Requirement("channel.cancel", CLIENT, "The running turn is cancelled; without one nothing happens."),
    Requirement(
        "channel.client",
        CLIENT,
        "The shipped AgentClient reads the card, runs, sends, lists, streams and cancels.",
    ),
    Requirement("channel.events", CLIENT, "Events are paged forward by sequence until a page is empty."),
    Requirement(
        "channel.sse", CLIENT, "The stream replays what is behind a sequence or an event, and follows."
    ),
    Requirement(
        "channel.stopped",
        CLIENT,
        "A turn that was cancelled or sealed ends with that event.",
        "It is told as turn.failed besides: the client's run() waits for nothing else, and would wait for ever.",
    ),
    Requirement(
        "channel.runtime-auth",
        CLIENT,
        "A short-lived token for one end user is issued.",
        "None is issued, 403: keys here do not expire by themselves.",
    ),
    Requirement("channel.org", OURS, "Another organisation's channel is not found."),
)
