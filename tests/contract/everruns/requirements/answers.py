"""Questions of an agent, and its calls that somebody has to allow."""

from typing import Final

from tests.contract.everruns.requirements.sources import CLIENT, OURS, SERVER
from tests.contract.requirement import Requirement

REQUIREMENTS: Final = (
    Requirement(
        "answer.pending",
        SERVER,
        "A channel's session shows what it waits for, with the question and its options.",
    ),
    Requirement(
        "answer.question", CLIENT, "A question is answered by an option or in words, and the turn goes on."
    ),
    Requirement(
        "answer.question-set",
        SERVER,
        "A question set holds several questions, each with an id of its own.",
        "An ask holds one, whose id is `question`; free text is always taken.",
    ),
    Requirement("answer.declined", SERVER, "A question may be declined, which is no answer."),
    Requirement(
        "answer.mismatch", SERVER, "An answer that does not fit what was asked is 400, and nothing happens."
    ),
    Requirement("answer.secret", SERVER, "A credential is never taken for an answer."),
    Requirement("answer.none", SERVER, "Where nothing is pending: 404; what is answered already: 409."),
    Requirement(
        "approval.decide",
        CLIENT,
        "Every call that waits is settled at once; one that is left out is not approved.",
    ),
    Requirement("approval.always", SERVER, "allow_always and reject_always are remembered for the session."),
    Requirement(
        "approval.program",
        OURS,
        "What an agent's program asks before it acts is an approval; for good is the program's own such answer.",
    ),
    Requirement("approval.role", OURS, "A worker's key answers and allows nothing: 403."),
    Requirement(
        "answer.twins", SERVER, "The same two routes are at a channel's sessions and at all sessions."
    ),
    Requirement("answer.client", CLIENT, "The shipped AgentClient answers a question and allows a call."),
)
