from tests.contract.everruns.requirements import covers
from tests.contract.everruns.sdk import Sdk


@covers("agents.client", "catalogue.client")
async def test_the_vendors_client_makes_agents_and_reads_what_they_are_made_of(sdk: Sdk) -> None:
    lived = await sdk.lives("vendor_agents.py")
    made = lived["made"]
    assert (made["name"], made["system_prompt"], made["display_name"]) == ("clerk", "Be brief.", "Clerk")
    assert [each["ref"] for each in made["capabilities"]] == ["current_time", "session_file_system"]
    assert made["tools"][0]["name"] == "open"
    assert made["initial_files"] == [{"path": "/a.md", "content": "Hello"}]
    assert len(set(lived["id"])) == 1
    assert lived["prompts"] == ["1", "2", "3"]
    assert lived["copy"] == "clerk-copy"
    assert lived["listed"] == ["clerk-copy", "scribe", "clerk", "default"]
    assert lived["found"] == ["clerk-copy", "clerk"]
    assert lived["stats"] == 0
    assert lived["archived"] == "archived"
    assert lived["left"] == ["scribe", "clerk", "default"]
    assert lived["got"]
    assert lived["missing"][:3] == ["NotFoundError", 404, "agent_not_found"]
    assert lived["bad"][:3] == ["ApiError", 400, "invalid_request"]
    assert {"current_time", "session_file_system"} <= set(lived["capabilities"])
    assert lived["page"] == [len(lived["capabilities"]), 1, 1]
    assert lived["capability"] == "available"
    assert lived["harnesses"] == ["generic", "acp", "http", "external"]
    assert lived["searched"] == ["generic"]
    assert lived["harness"] == "active"
    assert lived["examples"] == []
    assert lived["models"] == ["sim/script", "sim/echo"]
    assert lived["model"] == "llmsim"
