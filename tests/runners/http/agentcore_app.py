"""An agent built with the vendor's own library. Runs in the library's environment, not in the tests'.

It does what the prompt says and prints a JSON line for each thing that happens to it.
"""

# pyright: basic, reportMissingImports=false
# The library is not installed where the types are checked.

import asyncio
import json
import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn
from bedrock_agentcore.runtime import BedrockAgentCoreApp, BedrockAgentCoreContext

app = BedrockAgentCoreApp()


def tell(happened: str, **more: Any) -> None:
    print(json.dumps({"happened": happened, **more}), flush=True)


async def words(texts: list[str]) -> Any:
    for text in texts:
        if text == "crash":
            raise RuntimeError("the app crashed")
        yield text


async def drip() -> Any:
    """Without an end: the library does not tell its app that nobody listens any more."""
    while True:
        yield "."
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.Event().wait()


@app.entrypoint
async def invoke(payload: dict[str, Any], context: Any) -> Any:
    request = BedrockAgentCoreContext.get_request_id()
    tell("invoked", payload=payload, session=context.session_id, request=request)
    verb, _, rest = str(payload.get("prompt", "")).partition(" ")
    match verb:
        case "stream":
            return words(rest.split(","))
        case "drip":
            return drip()
        case "fail":
            raise ValueError("no such thing")
        case "begin":
            app.add_async_task("work")
        case "finish":
            for task in list(app._active_tasks):
                app.complete_async_task(task)
        case "headers":
            return {"result": (context.request_headers or {}).get(rest, "")}
        case _:
            pass
    return {"result": f"you said: {payload.get('prompt')}", "usage": {"input_tokens": 3, "output_tokens": 5}}


if __name__ == "__main__":
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen()
    tell("listens", port=listener.getsockname()[1])
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
