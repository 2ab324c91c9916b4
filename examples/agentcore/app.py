"""An agent for AgentCore's runtime, as it would be deployed there: `pip install bedrock-agentcore`, then run this.

docs/http-agents.md puts it behind Sojourn.
"""

# pyright: basic, reportMissingImports=false
# The library is not one of Sojourn's.

import os
from typing import Any

from bedrock_agentcore.runtime import BedrockAgentCoreApp

app = BedrockAgentCoreApp()


@app.entrypoint
async def invoke(payload: dict[str, Any], context: Any) -> Any:
    """A stream: each piece is seen as it comes. Return a value instead for an answer in one piece."""
    yield f"You are in session {context.session_id[:8]}"
    yield " and said: "
    yield payload.get("prompt", "nothing")


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8080")))
