"""What docs/http-agents.md tells a reader to do, done."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from scripts.docs_pages.__main__ import ROOT
from tests.client.server import BOUND_SECONDS, ServerProcess, environment, free_port
from tests.docs.test_examples import PORT, blocks

PAGE = "docs/http-agents.md"


async def output(*command: str, cwd: Path, **variables: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=environment(**variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, said = await process.communicate()
    assert process.returncode == 0, (out + said).decode()
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_example_app_answers_the_program_of_its_page(library: Path, tmp_path: Path) -> None:
    (script,), (program,) = blocks(PAGE, "sh"), blocks(PAGE, "python")
    port = str(free_port())
    app = await asyncio.create_subprocess_exec(
        *(str(library), str(ROOT / "examples/agentcore/app.py")), env=os.environ | {"PORT": port}
    )
    try:
        settings = {"SOJOURN_PRIVATE_AGENTS": "true"}
        async with ServerProcess(tmp_path / "sojourn-data", **settings) as server:
            script = script.replace(PORT, server.url).replace(":8080", f":{port}")
            await output("bash", "-euo", "pipefail", "-c", script, cwd=tmp_path)
            variables = {"SOJOURN_URL": server.url, "SOJOURN_KEY": server.key}
            said = await output(str(library), "-c", program, cwd=tmp_path, **variables)
    finally:
        app.kill()
        await app.wait()
    assert said == "You are in session my-first and said: hello\n"
