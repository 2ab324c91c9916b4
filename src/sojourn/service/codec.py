"""Events to JSON text and back. The text is what is stored, streamed and exported."""

import hashlib
from typing import Any, Final

import msgspec

from sojourn.domain.events import BY_TYPE, Event
from sojourn.domain.ids import OrgId
from sojourn.domain.log import LogEntry, StoredEvent
from sojourn.ports import Reads, Tx

# Data over this many bytes goes to the blobs, and the event holds the reference.
INLINE_BYTES: Final = 32 * 1024
_REFERENCE: Final = '{"blob":{"sha256":"'

_encode = msgspec.json.Encoder().encode
_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    type: msgspec.json.Decoder(cls) for type, cls in BY_TYPE.items()
}


def encode(event: Event) -> bytes:
    return _encode(event)


def decode(type: str, v: int, data: str | bytes) -> Event | None:
    """None for a type, or a version of it, that this release does not know."""
    cls = BY_TYPE.get(type)
    if cls is None or v > cls.v:
        return None
    return _decoders[type].decode(data)


async def put_large(tx: Tx, org: OrgId, data: bytes) -> str:
    """The text to store for `data`: itself, or a reference to the blob that it becomes."""
    if len(data) <= INLINE_BYTES:
        return data.decode()
    digest = hashlib.sha256(data)
    await tx.put_blob(org, digest.digest(), data)
    return f'{_REFERENCE}{digest.hexdigest()}","size":{len(data)}}}}}'


def referred(data: str) -> bytes | None:
    """The digest of the blob that the text refers to, None if it is the data itself."""
    if not data.startswith(_REFERENCE):
        return None
    start = len(_REFERENCE)
    return bytes.fromhex(data[start : start + 64])


async def get_large(reads: Reads, event: StoredEvent) -> str:
    """The data of an event, whole."""
    return await fill(reads, event.org, event.data)


async def fill(reads: Reads, org: OrgId, data: str) -> str:
    """What was stored for some data: itself, or what its reference leads to."""
    sha256 = referred(data)
    if sha256 is None:
        return data
    blob = await reads.get_blob(org, sha256)
    if blob is None:
        raise MissingBlob(sha256.hex())
    return blob.decode()


class MissingBlob(Exception):
    """The log refers to data that the store does not have: the database was damaged or restored in part."""

    def __init__(self, sha256: str) -> None:
        super().__init__(f"An event's data is missing: the blob {sha256}.")


async def read_entry(reads: Reads, event: StoredEvent) -> LogEntry:
    data = await get_large(reads, event)
    return LogEntry(event.seq, event.turn, event.type, decode(event.type, event.v, data))
