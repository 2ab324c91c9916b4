"""A conversation as a trajectory, in the Agent Trajectory Interchange Format 1.7. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from sojourn.domain.kinds import Json
from sojourn.web.dialects.everruns.wire.event import Data, Event

SCHEMA: Final = "ATIF-v1.7"


def trajectory(session: str, events: Iterable[Event], version: str) -> dict[str, Any]:
    steps: list[Data] = []
    used = {"input_tokens": 0, "output_tokens": 0}
    for event in events:
        match event.type, event.data:
            case "input.message", {"message": dict(message)}:
                steps.append(_step(steps, event, "user", message))
            case "output.message.completed", {"message": dict(message)} as data:
                steps.append(_step(steps, event, "agent", message) | _metrics(data))
            case "tool.completed", data if steps:
                _observe(steps, data)
            case "turn.completed" | "turn.failed" | "turn.sealed", {"usage": dict(usage)}:
                for name in used:
                    count = usage.get(name)
                    used[name] += count if isinstance(count, int) else 0
            case _:
                pass
    return {
        "schema_version": SCHEMA,
        "session_id": session,
        "agent": {"name": "sojourn", "version": version},
        "steps": steps,
        "final_metrics": {
            "total_prompt_tokens": used["input_tokens"],
            "total_completion_tokens": used["output_tokens"],
            "total_steps": len(steps),
        },
    }


def _step(steps: list[Data], event: Event, source: str, message: Data) -> Data:
    content = message.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    step: Data = {
        "step_id": len(steps) + 1,
        "timestamp": event.ts,
        "source": source,
        "message": "".join(str(part["text"]) for part in parts if part.get("type") == "text"),
    }
    calls: list[Json] = [
        {"tool_call_id": part["id"], "function_name": part["name"], "arguments": part["arguments"]}
        for part in parts
        if part.get("type") == "tool_call"
    ]
    if calls:
        step["tool_calls"] = calls
    return step


def _metrics(data: Data) -> Data:
    match data:
        case {"metadata": {"model": model}, "usage": {"input_tokens": read, "output_tokens": written}}:
            return {"model_name": model, "metrics": {"prompt_tokens": read, "completion_tokens": written}}
        case _:
            return {}


def _observe(steps: list[Data], data: Data) -> None:
    """A tool's result belongs to the step that asked for it."""
    result: Data = {"source_call_id": data["tool_call_id"], "content": data.get("error") or _text(data)}
    for step in reversed(steps):
        if step["source"] == "agent":
            observation = step.setdefault("observation", {"results": []})
            if isinstance(observation, dict) and isinstance(results := observation["results"], list):
                results.append(result)
            return


def _text(data: Data) -> str:
    parts = data.get("result")
    texts = parts if isinstance(parts, list) else []
    return "".join(str(part["text"]) for part in texts if isinstance(part, dict) and "text" in part)
