"""docs/dialects.md: what each dialect shows and where it differs, from the data that the contract tests check."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scripts.docs_pages.markdown import code, compose, table
from tests.contract.agent_swarm import requirements as agent_swarm
from tests.contract.agentcore import requirements as agentcore
from tests.contract.everruns import requirements as everruns
from tests.contract.kodexa import requirements as kodexa
from tests.contract.matrix.mapping import NATIVE, WORDS
from tests.contract.matrix.voices import VOICES
from tests.contract.membrane import requirements as membrane
from tests.contract.requirement import Requirement


@dataclass(frozen=True)
class Dialect:
    """`shown_by` is the test that drives it with the vendor's own client."""

    name: str
    place: str
    credential: str
    shown_by: str
    requirements: Sequence[Requirement]

    @property
    def divergences(self) -> list[Requirement]:
        return [requirement for requirement in self.requirements if requirement.divergence is not None]


DIALECTS: Final = (
    Dialect(
        "Kodexa",
        "`/api/orchestrator-agent-sessions`, `/api/account/me`, `/api/overview`",
        "`x-api-key` or `x-access-token`",
        "tests/contract/kodexa/test_client.py",
        kodexa.REQUIREMENTS,
    ),
    Dialect(
        "AgentCore runtime",
        "`/runtimes`",
        "Signature Version 4 with the key as access key id, or `Authorization: Bearer`",
        "tests/contract/agentcore/test_client.py",
        agentcore.REQUIREMENTS,
    ),
    Dialect(
        "agent-swarm",
        "`/api/active-sessions`",
        "`Authorization: Bearer`",
        "tests/contract/agent_swarm/test_recorded.py",
        agent_swarm.REQUIREMENTS,
    ),
    Dialect(
        "Membrane",
        "`/agent/sessions`, `/screens/agent-session`",
        "`Authorization: Bearer` with a JWT of a workspace, or a key",
        "tests/contract/membrane/test_client.py",
        membrane.REQUIREMENTS,
    ),
    Dialect(
        "Everruns",
        "`/v1`, `/api/v1`",
        "`Authorization` with the key, raw or after `Bearer`",
        "tests/contract/everruns/test_client_sessions.py",
        everruns.REQUIREMENTS,
    ),
)

VERBS: Final = {
    "get": "get",
    "list": "list",
    "message": "send a message",
    "read": "read messages",
    "interrupt": "interrupt",
    "end": "end",
}


def page() -> str:
    return compose(
        "Dialects",
        "tests/contract",
        "A dialect is another system's API, spoken so that its clients work after a change of their base URL. A session"
        " that was made through one is the same session through every other of the organisation:"
        " [the tests](../tests/contract/matrix/test_matrix.py) make one in each and read, message, interrupt and end it"
        " through all the others. A session of another organisation is not found.",
        _places(),
        "## What a dialect can do",
        "Where its vendor has a verb, it works on every session, wherever that was made.",
        _verbs(),
        "## How a session's state is shown",
        "The words for a session that was made natively, in each of its states. A dialect's own words for what it made"
        " itself may say more.",
        _words(),
        "## Where Sojourn differs",
        "Each is deliberate; all else follows the source.",
        *(block for dialect in DIALECTS for block in _divergences(dialect)),
    )


def _places() -> str:
    head = ["dialect", "at", "credential", "requirements", "shown by"]
    return table(
        head,
        (
            [
                dialect.name,
                dialect.place,
                dialect.credential,
                str(len(dialect.requirements)),
                f"[{dialect.shown_by.rpartition('/')[2]}](../{dialect.shown_by})",
            ]
            for dialect in DIALECTS
        ),
    )


def _verbs() -> str:
    rows = (
        [voice.name, *("yes" if verb in voice.can else "no" for verb in VERBS)]
        for voice in sorted(VOICES, key=lambda voice: voice.name != "native")
    )
    return table(["dialect", *VERBS.values()], rows)


def _words() -> str:
    rows = (
        [state, *("not shown" if (word := words[state]) is None else code(word) for words in WORDS.values())]
        for state in NATIVE
    )
    return table(["state", *WORDS], rows)


def _divergences(dialect: Dialect) -> tuple[str, ...]:
    rows = (
        [code(requirement.id), requirement.sentence, requirement.divergence or "", requirement.source]
        for requirement in dialect.divergences
    )
    return f"### {dialect.name}", table(["requirement", "the source says", "Sojourn", "source"], rows)
