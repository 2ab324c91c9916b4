"""What the vendor's client can do with a session's workspace. Runs in the client's own environment."""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import asyncio
import json
import sys
from typing import Any

from everruns_sdk import Everruns
from everruns_sdk.errors import ApiError


async def failing(call: Any) -> list[Any]:
    try:
        await call
    except ApiError as error:
        return [error.status_code, error.code]
    return []


async def main(base: str, key: str, id: str) -> dict[str, Any]:
    async with Everruns(api_key=key, base_url=base) as client:
        files = client.workspace_files
        workspace = await client.workspaces.get(id)
        made = await files.create(id, "/notes/a.md", "Hello")
        directory = await files.create_dir(id, "empty")
        updated = await files.update(id, "notes/a.md", "Hello again", is_readonly=True)
        readonly = await failing(files.delete(id, "notes/a.md"))
        await files.update(id, "notes/a.md", "Hello again", is_readonly=False)
        await files.copy_file(id, "/notes/a.md", "/copy.md")
        await files.move_file(id, "/notes/a.md", "/notes/b.md")
        root = await files.list(id)
        everything = await files.list(id, "/", recursive=True)
        grep = await files.grep(id, "again$", path_pattern="*.md")
        stat = await files.stat(id, "/notes/b.md")
        exists = await failing(files.create(id, "copy.md", ""))
        deleted = [
            await files.delete(id, "copy.md"),
            await files.delete(id, "copy.md"),
            await files.delete(id, "notes", recursive=True),
        ]
        return {
            "workspace": [workspace.name, workspace.status],
            "listed": [each.id for each in await client.workspaces.list()],
            "refused": await failing(client.workspaces.create("shared")),
            "made": [made.path, made.content, made.is_readonly],
            "directory": directory.is_directory,
            "updated": [updated.content, updated.is_readonly],
            "readonly": readonly,
            "root": [file.path for file in root],
            "everything": [file.path for file in everything],
            "grep": [[match.path, match.line_number, match.line] for each in grep for match in each.matches],
            "stat": [stat.name, stat.size_bytes],
            "deleted": [answer.deleted for answer in deleted],
            "exists": exists,
        }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
