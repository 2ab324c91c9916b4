"""Secrets that the server must read, sealed with AES-256-GCM under a key that is not in the database.

A sealed value is: format (1 byte), key id (8), nonce (12), tag (16), ciphertext. Everything before the nonce, the
organisation and the name are authenticated with it, so a row that is copied to another place does not open there.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sojourn.domain.ids import OrgId
from sojourn.ports import Clock, Store, Tx

if TYPE_CHECKING:
    from Cryptodome.Cipher._mode_gcm import GcmMode

log = logging.getLogger(__name__)

KEY_FILE: Final = "secret.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
KEY_ID_BYTES: Final = 8
FORMAT: Final = b"\x01"


class SecretUnavailable(Exception):
    """A secret, or the key that seals it, cannot be used; the first argument says which and why."""


class SealedWithAnotherKey(SecretUnavailable):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"The secret {name!r} was sealed with another key than this process has. Give every process the"
            " SOJOURN_SECRET_KEY or the key file that it was sealed with."
        )
        self.name = name


class SealBroken(SecretUnavailable):
    def __init__(self, name: str) -> None:
        super().__init__(f"The secret {name!r} was changed or moved since it was sealed: store it again.")
        self.name = name


class BadKeyFile(SecretUnavailable):
    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} {problem}")
        self.path = path


class SealingKey:
    """Made from the setting `secret_key`, or read from a file of the data directory that is made when it is needed."""

    def __init__(self, secret_key: str | None, data_dir: Path) -> None:
        self._secret_key = secret_key
        self._data_dir = data_dir
        self._key: bytes | None = None

    async def load(self) -> bytes:
        """The 32 bytes. Beside the event loop, as deriving them takes some 50 ms of CPU on purpose."""
        if self._key is None:
            self._key = await asyncio.to_thread(self._read)
        return self._key

    def _read(self) -> bytes:
        if self._secret_key is None:
            return read_key_file(self._data_dir / KEY_FILE)
        # The salt is a constant because every process of one database must come to the same key; what makes guessing
        # dear is the work, and a key of enough characters makes it hopeless.
        given = self._secret_key.encode("utf-8", "surrogatepass")
        return hashlib.scrypt(given, salt=b"sojourn/secrets", n=2**14, r=8, p=1, dklen=KEY_BYTES)


class SealedSecrets:
    def __init__(self, store: Store, clock: Clock, key: SealingKey) -> None:
        self._store = store
        self._clock = clock
        self._key = key
        self._given: dict[tuple[OrgId, str], str] = {}

    async def put(self, org: OrgId, name: str, value: str) -> None:
        sealed = seal(await self._key.load(), org, name, value)
        now = self._clock.now()

        async def verb(tx: Tx) -> None:
            await tx.write_secret(org, name, sealed, now)

        await self._store.write(verb)

    async def get(self, org: OrgId, name: str) -> str | None:
        """None if there is none; SealedWithAnotherKey or SealBroken if it cannot be opened."""
        given = self._given.get((org, name))
        return given if given is not None else await self._stored(org, name)

    async def remove(self, org: OrgId, name: str) -> bool:
        """What the settings of this process give stays given."""
        return await self._store.write(lambda tx: tx.delete_secret(org, name))

    async def give(self, org: OrgId, name: str, value: str) -> None:
        """Use a value of this process's settings, and store it for the processes that are not given it.

        What another key has sealed is left alone, because other processes may be reading it.
        """
        self._given[org, name] = value
        try:
            if await self._stored(org, name) != value:
                await self.put(org, name, value)
        except SealedWithAnotherKey as error:
            log.warning("%s Until then this process uses the value of its own settings.", error)

    async def _stored(self, org: OrgId, name: str) -> str | None:
        sealed = await self._store.reads.get_secret(org, name)
        return None if sealed is None else unseal(await self._key.load(), org, name, sealed)


def seal(key: bytes, org: OrgId, name: str, value: str) -> bytes:
    head, nonce = FORMAT + _key_id(key), secrets.token_bytes(NONCE_BYTES)
    cipher = _cipher(key, nonce, head, org, name)
    ciphertext, tag = cipher.encrypt_and_digest(value.encode("utf-8", "surrogatepass"))
    return head + nonce + tag + ciphertext


def unseal(key: bytes, org: OrgId, name: str, sealed: bytes) -> str:
    head, rest = sealed[: 1 + KEY_ID_BYTES], sealed[1 + KEY_ID_BYTES :]
    if head[:1] != FORMAT:
        raise SealBroken(name)
    if head[1:] != _key_id(key):
        raise SealedWithAnotherKey(name)
    nonce, tag = rest[:NONCE_BYTES], rest[NONCE_BYTES : NONCE_BYTES + TAG_BYTES]
    try:
        value = _cipher(key, nonce, head, org, name).decrypt_and_verify(rest[NONCE_BYTES + TAG_BYTES :], tag)
    except ValueError:
        raise SealBroken(name) from None
    return value.decode("utf-8", "surrogatepass")


def _cipher(key: bytes, nonce: bytes, head: bytes, org: OrgId, name: str) -> "GcmMode":
    # Imported at the first secret: most servers have none, and it costs a start 70 ms and 6 MB.
    from Cryptodome.Cipher import AES  # noqa: PLC0415

    # One overload of eighteen, for another mode, leaves the members of a dict unknown.
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)  # pyright: ignore[reportUnknownMemberType]
    # The head and the organisation have a fixed length, so no two places read the same.
    cipher.update(head + org.bytes + name.encode("utf-8", "surrogatepass"))
    return cipher


def _key_id(key: bytes) -> bytes:
    """Tells keys apart and gives none away: the key is 32 random bytes, or costs its guesser as much as they do."""
    return hashlib.sha256(b"sojourn/key-id" + key).digest()[:KEY_ID_BYTES]


def read_key_file(path: Path) -> bytes:
    """The key in a file, which is made if it is not there. BadKeyFile if others may read it or it holds no key."""
    try:
        text = _read_private(path) or _make_key_file(path)
    except OSError as error:
        raise BadKeyFile(path, f"can be neither read nor made: {error.strerror}.") from error
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadKeyFile(path, f"holds no key: it should be {KEY_BYTES * 2} hexadecimal digits.")
    return key


def _read_private(path: Path) -> bytes:
    """What the file holds, nothing if there is none."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise BadKeyFile(path, "may be read by others than its owner: chmod 600 it, or make a new key.")
        return file.read()


def _make_key_file(path: Path) -> bytes:
    """Write a new key and return what the file then holds: of two processes that make it at once, the first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        text = file.read()
        if not text:
            text = secrets.token_hex(KEY_BYTES).encode() + b"\n"
            file.write(text)
            file.flush()
            # Before anything is sealed with it: a power cut must not take the key and leave the sealed values.
            os.fsync(descriptor)
            _sync_directory(path.parent)
    return text


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
