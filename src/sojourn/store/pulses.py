"""Rosters for a store that others write to as well: what changed since the last one is all that is read again.

A pulse is what every change of a driven session moves: its latest beat, or its revision. The pulses of an organisation
come as one value, 32 bytes a session, which costs a thirtieth of the rows that they stand for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final
from uuid import UUID

from sojourn.domain.ids import SessionId
from sojourn.domain.record import DrivenSession
from sojourn.store.rows import to_instant

# Id, microseconds of the latest beat, revision; as the text `driven_pulses` packs them.
_PULSE: Final = Struct(">16sqq")

Pulse = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Known:
    """A roster, the pulses that it shows, and the bytes that those came as. Ids are bytes throughout."""

    data: bytes
    pulses: Mapping[bytes, Pulse]
    sessions: Mapping[bytes, DrivenSession]
    roster: Sequence[DrivenSession]


NOTHING_KNOWN: Final = Known(b"", {}, {}, ())


def read_pulses(data: bytes) -> dict[bytes, Pulse]:
    return {id: (beat, revision) for id, beat, revision in _PULSE.iter_unpack(data)}


def to_read(known: Known, pulses: Mapping[bytes, Pulse]) -> list[SessionId]:
    """The sessions that are new, or of which more changed than their beat."""
    return [
        SessionId(UUID(bytes=id))
        for id, (_, revision) in pulses.items()
        if id not in known.sessions or known.pulses[id][1] != revision
    ]


def learn(known: Known, data: bytes, pulses: Mapping[bytes, Pulse], found: Sequence[DrivenSession]) -> Known:
    """What is known after `found`, the sessions to read, were read.

    They may show more than their pulses, which were taken earlier; the next pulses then differ, and they are read
    once more. Of those that have ended since, the next pulses say nothing.
    """
    sessions = {id: known.sessions[id] for id in pulses if id in known.sessions}
    for id, session in sessions.items():
        beat = pulses[id][0]
        if beat != known.pulses[id][0]:
            sessions[id] = replace(session, last_seen_at=to_instant(beat))
    sessions |= {one.id.bytes: one for one in found}
    roster = sorted(sessions.values(), key=lambda one: (one.created_at, one.id), reverse=True)
    return Known(data, pulses, sessions, roster)
