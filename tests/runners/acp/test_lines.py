"""A program that is gone, or says what is no message."""

import logging
import os
import sys
from pathlib import Path

import pytest

from sojourn.domain.runner_config.acp import AcpConfig
from sojourn.runners.acp.connection import Connection
from sojourn.runners.acp.process import start_program

GREETS = """
print("not a message")
print("[1]")
input()
print('{"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": 1}}')
"""


async def test_a_connection_to_a_program_that_is_gone_is_closed_without_a_complaint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = await start_program(AcpConfig(command=(sys.executable, "-c", "pass")), tmp_path, os.environ, {})
    await program.ended()
    connection = Connection(program)
    with pytest.raises(ConnectionError):
        await connection.initialize()
    await connection.close()
    await program.end()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_lines_that_are_no_messages_are_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = await start_program(AcpConfig(command=(sys.executable, "-c", GREETS)), tmp_path, os.environ, {})
    connection = Connection(program)
    assert not (await connection.initialize()).loads
    await connection.close()
    await program.end()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
