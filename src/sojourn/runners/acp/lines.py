"""The messages of one program as the protocol's library takes them: a line each, over the program's streams.

The library's own transport gives up for good at the first word to a program that is gone: it says so as an error of the
server's, and again to whoever closes the connection.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from sojourn.runners.program import LONGEST_LINE_BYTES

log = logging.getLogger(__name__)


class Lines:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: Mapping[str, Any]) -> None:
        """What is said to a program that is gone is lost; that it is gone is told by the end of its own words."""
        self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        with suppress(ConnectionError):
            await self._writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        """The next message, None when there will be none. What is no message is passed over."""
        while True:
            try:
                line = await self._reader.readline()
            except ValueError:
                log.warning("a program said a line of more than %d bytes; passed over", LONGEST_LINE_BYTES)
                continue
            if not line:
                return None
            message = _message_of(line)
            if message is not None:
                return message

    async def close(self) -> None:
        """The streams are the program's, which closes them at its end."""


def _message_of(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        message: object = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if isinstance(message, dict):
        return cast(dict[str, Any], message)
    log.warning("a program said a line that is no message; passed over")
    return None
