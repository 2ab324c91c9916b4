"""Files as a stream of tar, in the old GNU form: written for a sandbox, and read from one that may say anything.

The standard library's reader is made for archives that are somebody's. What a sandbox says is a command's word, and is
read here without a thing that could take long or grow: headers of 512 bytes, and what they announce up to a bound.
"""

import asyncio
import tarfile
from collections.abc import AsyncGenerator
from typing import Final

BLOCK: Final = 512
LONGEST_NAME_BYTES: Final = 4_096
END: Final = bytes(BLOCK)

_SIZE: Final = slice(124, 136)
_TYPE: Final = slice(156, 157)
_NAME: Final = slice(0, 100)
_LONG_NAME: Final = b"L"
_REGULAR: Final = (b"0", b"\0")


class BadArchive(Exception):
    """It is none, or holds more than it may; the first argument says what."""


def packed(name: str, data: bytes) -> bytes:
    """A file of an archive; scripts and programs may be run."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o755 if data.startswith((b"#!", b"\x7fELF")) else 0o644
    header = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    return header + data + bytes(-len(data) % BLOCK)


async def unpacked(reader: asyncio.StreamReader, most_bytes: int) -> AsyncGenerator[tuple[bytes, bytes]]:
    """The names and contents of the regular files. IncompleteReadError where it ends before its end."""
    name: bytes | None = None
    while (header := await reader.readexactly(BLOCK)) != END:
        size = _octal(header[_SIZE])
        if size > most_bytes:
            raise BadArchive(f"a file of {size} bytes")
        data = (await reader.readexactly(size + -size % BLOCK))[:size]
        if header[_TYPE] == _LONG_NAME:
            if size > LONGEST_NAME_BYTES:
                raise BadArchive(f"a name of {size} bytes")
            name = data.rstrip(b"\0")
            continue
        if header[_TYPE] in _REGULAR:
            yield header[_NAME].rstrip(b"\0") if name is None else name, data
        name = None


def _octal(field: bytes) -> int:
    text = field.strip(b" \0")
    if not text.isdigit() or b"8" in text or b"9" in text:
        raise BadArchive("a size that is no number")
    return int(text, 8)
