"""Where a secret's value is found. Agents, providers and webhooks hold references, never values."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.names import NAME

# Of the server's environment clients may name these variables only: whoever may say where a secret is sent could
# otherwise have every other variable sent there.
READABLE_PREFIX: Final = "SOJOURN_AGENT_"

_REFERENCE: Final = re.compile(
    rf"env:(?P<variable>{READABLE_PREFIX}[A-Za-z0-9_]{{1,100}})|secret://(?P<secret>{NAME})"
)


@dataclass(frozen=True, slots=True)
class SecretReference:
    """A variable of the server's environment, or a secret that the organisation has stored."""

    source: Literal["env", "secret"]
    name: str

    def __str__(self) -> str:
        return f"env:{self.name}" if self.source == "env" else f"secret://{self.name}"


def read_reference(field: str, text: str) -> SecretReference:
    """InvalidRequest, which repeats nothing of the text, for anything else: it may be the secret itself."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise InvalidRequest(field, f"must refer to a secret, as secret://NAME or env:{READABLE_PREFIX}NAME")
    if match["variable"] is not None:
        return SecretReference("env", match["variable"])
    return SecretReference("secret", match["secret"])
