"""Outside names that one driven session has at a time, and that are free again once nobody drives it."""

from dataclasses import dataclass

from sojourn.domain.errors import AlreadyExists
from sojourn.domain.ids import OrgId, SessionId
from sojourn.ports import Tx


@dataclass(frozen=True, slots=True)
class Name:
    """`value` is unique within its `kind` and organisation."""

    kind: str
    value: str


async def take_name(tx: Tx, org: OrgId, name: Name, session: SessionId) -> None:
    """Give a new session a name; AlreadyExists while a driven session has it.

    A session that ended through another door, or lost its presence, may still be found by its name until then.
    """
    # The insert waits for the end of a rival's transaction, so what is read after it is the rival's, committed.
    if await tx.insert_ref(org, name.kind, name.value, session):
        return
    owner = await tx.find_session(org, name.kind, name.value)
    if owner is None:
        is_taken = await tx.insert_ref(org, name.kind, name.value, session)
    else:
        record = await tx.get_session(org, owner)
        is_driven = record is not None and record.session.presences > 0
        # Of two that would both take it from the same owner, the second finds that it has moved.
        is_taken = not is_driven and await tx.move_ref(org, name.kind, name.value, owner, session)
    if not is_taken:
        raise AlreadyExists(f"session with {name.kind}", name.value[:200])
