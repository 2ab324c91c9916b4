"""What the vendor's agent client says to an agent's question and its held calls. Runs in its own environment."""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import asyncio
import json
import sys
from typing import Any

from everruns_sdk import AgentClient
from everruns_sdk.errors import ApiError


async def main(base: str, key: str, channel: str, session: str) -> dict[str, Any]:
    async with AgentClient(f"{base}/v1/channels/{channel}", key) as agent:
        view = await agent.get_session(session)
        answers = [{"id": view["pending_questions"][0]["questions"][0]["id"], "selected": ["red"]}]
        answered = await agent.answer_questions(session, {"tool_call_id": "q1", "answers": answers})
        decisions = {"decisions": [{"tool_call_id": "a1", "decision": "allow"}]}
        resolved = await agent.submit_tool_approvals(session, decisions)
        try:
            await agent.submit_tool_approvals(session, decisions)
            again = []
        except ApiError as error:
            again = [error.status_code, error.code]
        return {
            "pending": [
                [each["tool_call_id"] for each in view["pending_questions"]],
                [each["tool_call_id"] for each in view["pending_approvals"]],
            ],
            "answered": answered,
            "resolved": [[each["tool_call_id"], each["outcome"]] for each in resolved["resolved"]],
            "again": again,
        }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
