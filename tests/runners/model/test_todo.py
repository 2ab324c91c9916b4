"""The tools of `todo`, called by a model, and the list as the session's clients see it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runners.http.sessions import ended, said, say
from tests.web.served import Served, open_served


def called(name: str, arguments: Any) -> str:
    return json.dumps([{"call": {"name": name, "arguments": arguments}}, {"say": "done"}])


async def results(served: Served, *scripts: str) -> list[dict[str, Any]]:
    """What the calls of one session's turns brought."""
    made = await served.client.post("agents", json={"name": "planner", "tools": ["todo"]})
    assert made.status_code == 201, made.text
    session = await say(served, "planner", scripts[0])
    items = await ended(served, session)
    found = said(items, "tool.completed")
    shown = await served.client.get(f"sessions/{session}/files/content", params={"path": "TODO.md"})
    found[-1]["file"] = shown.text
    return found


async def test_a_model_keeps_a_list_of_what_is_to_be_done_as_a_file(tmp_path: Path) -> None:
    items = [
        {"text": "look", "status": "done"},
        {"text": "think\n twice", "status": "in_progress"},
        {"text": "act", "status": "pending"},
    ]
    script = json.dumps(
        [
            {"call": {"name": "read_todos", "arguments": {}}},
            {"call": {"name": "write_todos", "arguments": {"items": items}}},
            {"call": {"name": "read_todos", "arguments": {}}},
            {"say": "done"},
        ]
    )
    async with open_served(tmp_path, default_model="sim/script") as served:
        empty, written, read = await results(served, script)
    assert empty["output"] == "The list is empty."
    assert written["output"] == read["output"] == "- [x] look\n- [~] think twice\n- [ ] act\n"
    assert read["file"] == read["output"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"items": "a"},
        {"items": ["a"]},
        {"items": [{"text": "", "status": "done"}]},
        {"items": [{"text": "a", "status": "perhaps"}]},
        {"items": [{"text": "a" * 501, "status": "done"}]},
        {"items": [{"text": "a", "status": "done"}] * 101},
    ],
)
async def test_a_list_that_is_none_is_told_to_the_model(tmp_path: Path, arguments: Any) -> None:
    async with open_served(tmp_path, default_model="sim/script") as served:
        (result,) = await results(served, called("write_todos", arguments))
    assert result["status"] == "error"
