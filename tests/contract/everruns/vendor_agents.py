"""What the vendor's client can do with agents and what they are made of. Runs in the client's own environment."""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import asyncio
import json
import sys
from typing import Any

from everruns_sdk import Everruns, generate_agent_id
from everruns_sdk.errors import ApiError
from everruns_sdk.models import AgentCapabilityConfig, InitialFile, ToolDefinition


async def failing(call: Any) -> list[Any]:
    try:
        await call
    except ApiError as error:
        return [type(error).__name__, error.status_code, error.code, error.message]
    return []


async def main(base: str, key: str) -> dict[str, Any]:
    async with Everruns(api_key=key, base_url=base) as client:
        agents = client.agents
        models = await client.models.list()
        made = await agents.create(
            "clerk",
            "Be brief.",
            display_name="Clerk",
            description="Keeps the books",
            default_model_id=models[0].id,
            tags=["a"],
            capabilities=[AgentCapabilityConfig(ref="current_time", config={})],
            tools=[ToolDefinition(name="open", description="Opens", parameters={"type": "object"})],
            initial_files=[InitialFile(path="/a.md", content="Hello")],
            harness_name="generic",
        )
        id = generate_agent_id()
        applied = await agents.apply(id, "scribe", "1")
        again = await agents.apply(id, "scribe", "2")
        by_name = await agents.apply_by_name("scribe", "3")
        copy = await client.with_reason("we need two").agents.copy(made.id)
        listed = await agents.list()
        found = await agents.list(search="book")
        await agents.delete(copy.id)
        harnesses = await client.harnesses.list()
        page = await client.capabilities.list_page(limit=1)
        return {
            "made": made.model_dump(exclude_none=True),
            "id": [id, applied.id, again.id, by_name.id],
            "prompts": [applied.system_prompt, again.system_prompt, by_name.system_prompt],
            "copy": copy.name,
            "listed": [agent.name for agent in listed],
            "found": [agent.name for agent in found],
            "stats": (await agents.stats(made.id)).session_count,
            "archived": (await agents.get(copy.id)).status,
            "left": [agent.name for agent in await agents.list()],
            "got": (await agents.get("clerk")).id == made.id,
            "missing": await failing(agents.get(generate_agent_id())),
            "bad": await failing(agents.create("x", "", capabilities=[AgentCapabilityConfig(ref="no")])),
            "capabilities": [each.id for each in await client.capabilities.list()],
            "capability": (await client.capabilities.get("current_time")).status,
            "page": [page.total, page.limit, len(page.data)],
            "harnesses": [each.name for each in harnesses],
            "searched": [each.name for each in await client.harnesses.search("generic")],
            "harness": (await client.harnesses.get(harnesses[0].id)).status,
            "examples": await client.harnesses.list_examples(),
            "models": [model.model_id for model in models],
            "model": (await client.models.get(models[0].id)).model_vendor,
        }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
