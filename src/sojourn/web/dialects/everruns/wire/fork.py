"""How a client forks a session."""

from msgspec import Struct


class Fork(Struct, kw_only=True):
    """Null is as good as absent: what is not said is as the parent's."""

    title: str | None = None
    goal: str | None = None
    tags: list[str] | None = None
    model_id: str | None = None
    agent_id: str | None = None
    locale: str | None = None
    system_prompt: str | None = None
    up_to_message_id: str | None = None
