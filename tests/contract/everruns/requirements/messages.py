"""Messages, and what else a client sends a session."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OPENAPI, OURS, SERVER
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement("messages.create", OPENAPI, "A message is answered with 201 and what it is in the log."),
    Requirement(
        "messages.delivery",
        SERVER,
        "delivery says whether a message started a turn, steered one, resumed one or is a duplicate.",
    ),
    Requirement("messages.steers", SERVER, "A message to a session that is active steers its turn."),
    Requirement(
        "messages.repeat",
        SERVER,
        "The same client_message_id, or Idempotency-Key, is one message; another body under it is 422.",
    ),
    Requirement(
        "messages.kept",
        OPENAPI,
        "controls, metadata, external_actor and the parts of the content are given back.",
        "Of controls only model_id is acted on; images are told to the model as a text that names them.",
    ),
    Requirement(
        "messages.model",
        OPENAPI,
        "controls.model_id is the model of the turn that the message starts.",
        "A message that steers a turn changes nothing of that turn's model.",
    ),
    Requirement("messages.refused", OPENAPI, "Messages that cannot be meant are 400."),
    Requirement(
        "messages.list",
        CLIENT,
        "Messages are those of the events, with the four roles that the client knows.",
    ),
    Requirement(
        "messages.export", CLIENT, "An export is a message a line, as an attachment, or one trajectory."
    ),
    Requirement("cancel", CLIENT, "A cancel is 200 with cancelled or no_op, however often it is repeated."),
    Requirement("cancel.early", OURS, "A turn that does not run yet is cancelled too."),
    Requirement(
        "results.accepted",
        CLIENT,
        "Results of a client's tools are answered with their number and resume the turn.",
    ),
    Requirement("results.error", CLIENT, "An error is a result, too."),
    Requirement(
        "results.not-waiting",
        CLIENT,
        "Results that nobody waits for are 409, in words that the client looks for.",
    ),
    Requirement(
        "results.pending",
        OURS,
        "Results of other calls than those that wait are not accepted.",
        "The vendor does not look which calls wait.",
    ),
    Requirement(
        "results.session",
        OURS,
        "A session that an agent has started is no call of a client's: none is requested, and no result is taken.",
    ),
    Requirement(
        "results.question", OURS, "A question of no tool is answered under the id that it is told with."
    ),
    Requirement("results.refused", OPENAPI, "No results at all, or malformed ones, are 400."),
    Requirement("results.repeat", OURS, "Of several that bring the same result one is accepted."),
    Requirement(
        "results.message",
        SERVER,
        "A message to a waiting session cancels the pending calls and resumes the turn.",
    ),
    Requirement("results.cancel", CLIENT, "A turn that waits for results is cancelled like any other."),
    Requirement(
        "messages.gone",
        OURS,
        "A message that nobody read, or that was taken back, is among the events and not among the messages.",
    ),
    Requirement(
        "messages.cut",
        OURS,
        "A log that was cut has no messages from before; one that is sent again under its old key is 404.",
    ),
    Requirement(
        "messages.edited", OURS, "A message that was edited before a turn read it is shown as it was read."
    ),
)
