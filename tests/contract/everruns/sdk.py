"""The vendor's own Python client, unpatched, in an environment of its own."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.contract.everruns.surface import Everruns

CLIENT: Final = "everruns-sdk==0.3.1"
BOUND_SECONDS: Final = 60.0

Lived = Mapping[str, Any]


@dataclass(frozen=True)
class Sdk:
    """Runs scripts of this folder in the client's environment against the server."""

    python: Path
    everruns: Everruns

    async def lives(self, script: str, *arguments: str) -> Lived:
        """What the client saw, by the name of the step: the last line that the script prints.

        The script gets the client's base URL, the key, and `arguments`.
        """
        path = Path(__file__).with_name(script)
        base = str(self.everruns.http.base_url).rstrip("/") + "/api"
        client = await asyncio.create_subprocess_exec(
            *(str(self.python), "-I", str(path), base, self.everruns.key, *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                out, said = await client.communicate()
        finally:
            if client.returncode is None:
                client.kill()
        assert client.returncode == 0, said.decode()
        return json.loads(out.splitlines()[-1])
