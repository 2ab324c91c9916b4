from itertools import count

from tests.client.server import wire_to
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.sdk import Sdk


@covers("session.client", "events.client")
async def test_the_vendors_client_lives_through_everything_it_can_do_with_sessions(sdk: Sdk) -> None:
    """Its streams go over a wire, too, that breaks a connection after a few kilobytes."""
    allowances = count(1_500, 2_500)
    async with wire_to(str(sdk.everruns.http.base_url), lambda: next(allowances)) as wire:
        lived = await sdk.lives("vendor_sessions.py", f"{wire.url}/api")
        assert wire.cuts > 1
    session = lived["session"]
    assert (session["status"], session["title"], session["locale"]) == (
        "started",
        "Debug login issue",
        "uk-UA",
    )
    assert session["tools"][0]["name"] == "open"
    assert lived["tools"] == {
        "accepted": [[1, "active"]],
        "end": "turn.completed",
        "roles": ["user", "agent", "tool_result", "agent"],
        "waiting": "waitingfortoolresults",
    }
    assert lived["sent"]["controls"] == {"error_disclosure": "standard"}
    assert lived["first"][0] == "session.started"
    assert {"tool.completed", "turn.completed"} <= set(lived["first"])
    assert lived["second"][0] == "input.message"
    assert "output.message.completed" in lived["second"]
    assert lived["narrow"] == ["turn.started", "turn.completed"]
    assert "output.message.delta" not in lived["calm"]
    assert lived["listed"] == ["reason.completed", "output.message.completed", "turn.completed"]
    assert (lived["status"], lived["usage"]) == ("idle", 103)
    assert lived["pinned"] == [True, False]
    assert lived["cancelled"] == "interrupted"
    assert lived["pieced"]
    assert lived["messages"] == lived["export"] == ["user", "agent", "tool_result", "agent", "user", "agent"]
    assert lived["list"]
    assert lived["budgets"][0] == []
    assert lived["resume"] == 0
    assert lived["gone"][:3] == ["NotFoundError", 404, "session_not_found"]
    assert lived["bad"][1:] == [400, "bad_request", "Invalid session ID: sess_123"]
    assert lived["no_key"][:3] == ["AuthenticationError", 401, "unauthorized"]
    assert lived["not_waiting"][1] == 400
    assert lived["unknown_agent"][:3] == ["NotFoundError", 404, "agent_not_found"]
