"""What Membrane's clients say of a session and the core has no word for, as it is stored beside the session. Pure."""

from typing import Any, Final

import msgspec

from sojourn.web.kit.facets import FacetText

DIALECT: Final = "membrane"


class Report(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """A worker's word for what the session does. It stands while fence, turns and activity are what they were."""

    fence: int
    turns: int
    activity: str
    status: str | None = None
    state: str | None = None


class Facet(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """`workspace_key` is that of the token that the session was made with. `prompt` is kept here if it is short.

    `error` is of the time when the session had `error_turns` turns.
    """

    workspace_key: str | None = None
    tenant_id: str | None = None
    workspace_element_type: str | None = None
    workspace_element_id: str | None = None
    test_customer_id: str | None = None
    is_external: bool | None = None
    model_id: str | None = None
    agent_name: str | None = None
    agent_harness_id: str | None = None
    prompt: str | None = None
    summary: str | None = None
    error: dict[str, Any] | None = None
    error_turns: int | None = None
    output: dict[str, Any] | None = None
    opencode_session_uuid: str | None = None
    report: Report | None = None


_TEXT: Final = FacetText(Facet)
to_text: Final = _TEXT.to_text
of_text: Final = _TEXT.of_text


def of_child(parent: str) -> str:
    """What a session that an agent has started has of its parent's: it is seen by the same callers."""
    said = of_text(parent)
    return to_text(
        Facet(
            workspace_key=said.workspace_key,
            tenant_id=said.tenant_id,
            test_customer_id=said.test_customer_id,
        )
    )
