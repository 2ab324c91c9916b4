"""The tools of `memory`, called by a model in one session after another."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.runners.http.sessions import ended, said, say
from tests.web.served import Served, open_served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path, default_model="sim/script") as served:
        yield served


async def new_agent(served: Served, access: str = "read_write") -> str:
    given = {"own": {"kind": "memory", "config": {"access": access}}}
    made = await served.client.post("agents", json={"name": "clerk", "capabilities": given})
    assert made.status_code == 201, made.text
    return f"agents/{made.json()['id']}/memories"


async def outputs(served: Served, *calls: tuple[str, dict[str, Any]]) -> list[str]:
    """What the calls of a new session's one turn brought, those that failed behind an exclamation mark."""
    steps = [{"call": {"name": f"memory_{name}", "arguments": arguments}} for name, arguments in calls]
    session = await say(served, "clerk", json.dumps([*steps, {"say": "done"}]))
    results = said(await ended(served, session), "tool.completed")
    return [("" if one["status"] == "done" else "! ") + one["output"] for one in results]


async def test_a_model_keeps_what_it_finds_and_reads_it_in_its_next_session(served: Served) -> None:
    await new_agent(served)
    first = await outputs(
        served,
        ("view", {"path": "/memories"}),
        ("create", {"path": "/memories/notes/a.md", "file_text": "one\nthree\n"}),
        ("insert", {"path": "/memories/notes/a.md", "insert_line": 1, "insert_text": "two"}),
        ("str_replace", {"path": "notes/a.md", "old_str": "three", "new_str": "THREE"}),
        ("create", {"path": "b", "file_text": "gone soon"}),
    )
    assert first == [
        "The memory is empty.",
        "Created /memories/notes/a.md.",
        "Edited /memories/notes/a.md.",
        "Edited /memories/notes/a.md.",
        "Created /memories/b.",
    ]
    second = await outputs(
        served,
        ("delete", {"path": "/memories/b"}),
        ("view", {"path": "/memories/"}),
        ("view", {"path": "/memories/notes/a.md"}),
        ("view", {"path": "/memories/notes/a.md", "view_range": [2, -1]}),
        ("search", {"query": "thr"}),
        ("search", {"query": "nothing"}),
    )
    assert second[0] == "Deleted /memories/b."
    assert second[1].startswith("/memories/notes/a.md (14 bytes, ")
    assert second[2:] == [
        "     1\tone\n     2\ttwo\n     3\tTHREE",
        "     2\ttwo\n     3\tTHREE",
        "/memories/notes/a.md:3: THREE",
        "Nothing was found.",
    ]


async def test_what_cannot_be_done_is_told_to_the_model_and_changes_nothing(served: Served) -> None:
    place = await new_agent(served)
    refused = await outputs(
        served,
        ("create", {"path": "a", "file_text": "x x"}),
        ("create", {"path": "a", "file_text": "y"}),
        ("create", {"path": "a/b", "file_text": "y"}),
        ("create", {"path": "/memories", "file_text": "y"}),
        ("create", {"path": "../a", "file_text": "y"}),
        ("create", {"path": "b", "file_text": "y" * 100_001}),
        ("str_replace", {"path": "a", "old_str": "x", "new_str": "y"}),
        ("str_replace", {"path": "a", "old_str": "z", "new_str": "y"}),
        ("str_replace", {"path": "b", "old_str": "x", "new_str": "y"}),
        ("insert", {"path": "a", "insert_line": 2, "insert_text": "y"}),
        ("view", {"path": "b"}),
        ("view", {"path": "a", "view_range": [0, 1]}),
        ("search", {"query": " "}),
        ("delete", {"path": "b"}),
    )
    assert [one.startswith("! ") for one in refused] == [False, *[True] * 12, False]
    assert refused[1] == "! There is a memory at /memories/a already: view it, and edit or delete it."
    assert "2 times" in refused[6]
    assert "100000 bytes" in refused[5]
    assert (await served.client.get(f"{place}/entry", params={"path": "a"})).json()["text"] == "x x"
    assert len((await served.client.get(place)).json()["data"]) == 1


async def test_an_agent_that_may_only_read_has_no_tool_to_write_with(served: Served) -> None:
    place = await new_agent(served, "read_only")
    put = await served.client.put(f"{place}/entry", params={"path": "a"}, json={"text": "by its owner"})
    assert put.status_code == 201, put.text
    read, refused = await outputs(
        served, ("view", {"path": "a"}), ("create", {"path": "b", "file_text": "by the model"})
    )
    assert read == "     1\tby its owner"
    assert refused == "! There is no tool memory_create."


async def test_a_long_memory_is_viewed_in_parts(served: Served) -> None:
    place = await new_agent(served)
    text = "".join(f"{number} {'x' * 90}\n" for number in range(1, 601))
    await served.client.put(f"{place}/entry", params={"path": "long"}, json={"text": text})
    part, rest = await outputs(
        served, ("view", {"path": "long"}), ("view", {"path": "long", "view_range": [301, 302]})
    )
    lines = part.splitlines()
    shown = len(lines) - 1
    assert lines[-1] == f"[{600 - shown} more lines: view again with view_range [{shown + 1}, 600].]"
    assert 200 < shown < 400
    assert [line.split()[0] for line in rest.splitlines()] == ["301", "302"]
