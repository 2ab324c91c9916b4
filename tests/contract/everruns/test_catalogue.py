from datetime import UTC, datetime

from sojourn.domain.provider import OWN_CHOICE, Model
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, absent


@covers("catalogue.capabilities", "catalogue.capability")
async def test_capabilities_are_what_agents_may_have(everruns: Everruns) -> None:
    page = await everruns.read("/capabilities")
    ids = [each["id"] for each in page["data"]]
    assert {"current_time", "session_file_system"} <= set(ids)
    assert (page["total"], page["offset"], page["limit"]) == (len(ids), 0, 20)
    second = await everruns.read("/capabilities", params={"offset": 1, "limit": 1})
    assert [each["id"] for each in second["data"]] == ids[1:2]
    assert second["total"] == len(ids)
    found = await everruns.read("/capabilities", params={"search": "UTC"})
    assert [each["id"] for each in found["data"]] == ["current_time"]
    # What the server's own catalogue has for agents, and nothing that it has not.
    usable = [each for each in everruns.services.catalogue if not each.missing and not each.needs_config]
    assert {"sessions", "memory"} <= {each.name for each in usable}
    assert [each["description"] for each in page["data"]] == [each.description for each in usable]
    for each in page["data"]:
        assert {"id", "name", "description", "status"} <= set(each)
        assert each["config_schema"]["type"] == "object"
        assert await everruns.read(f"/capabilities/{each['id']}") == each
    problem = await everruns.refused(404, "GET", "/capabilities/nothing")
    assert problem["code"] == "capability_not_found"
    for wrong in ({"limit": 0}, {"limit": 101}, {"offset": -1}):
        await everruns.refused(400, "GET", "/capabilities", params=wrong)


@covers("catalogue.harnesses", "catalogue.harness-examples")
async def test_harnesses_are_built_in_and_read_only(everruns: Everruns) -> None:
    harnesses = (await everruns.read("/harnesses"))["data"]
    assert [each["name"] for each in harnesses] == ["generic", "acp", "http", "external"]
    for each in harnesses:
        assert {"id", "name", "status", "created_at", "updated_at"} <= set(each)
        assert each["is_built_in"]
        assert await everruns.read(f"/harnesses/{each['id']}") == each
    found = await everruns.read("/harnesses", params={"search": "COMMAND line"})
    assert [each["name"] for each in found["data"]] == ["acp"]
    problem = await everruns.refused(404, "GET", f"/harnesses/{absent('harness')}")
    assert problem["code"] == "harness_not_found"
    await everruns.refused(400, "GET", "/harnesses/x")
    assert await everruns.read("/harness-examples") == []
    await everruns.refused(405, "POST", "/harnesses", json={"name": "x"})
    for method in ("PATCH", "DELETE"):
        await everruns.refused(405, method, f"/harnesses/{harnesses[0]['id']}")


@covers("catalogue.models", "catalogue.simulated")
async def test_models_are_those_that_turns_here_can_have(everruns: Everruns) -> None:
    models = (await everruns.read("/models"))["data"]
    assert [model["model_id"] for model in models] == ["sim/script", "sim/echo"]
    for model in models:
        assert model["display_name"].endswith("(simulated)")
        assert (model["model_vendor"], model["provider_type"]) == ("llmsim", "llmsim")
        assert await everruns.read(f"/models/{model['id']}") == model
    assert len({model["provider_id"] for model in models}) == 1
    assert (await everruns.read("/models", params={"favorites_only": "true"}))["data"] == []
    assert (await everruns.read("/models", params={"source": "manual"}))["data"] == []
    problem = await everruns.refused(404, "GET", f"/models/{absent('model')}")
    assert problem["code"] == "model_not_found"
    await everruns.refused(400, "GET", "/models/x")
    # The id is made of the name, and so the same for everybody.
    assert (await (await everruns.other_org()).read("/models"))["data"][0]["id"] == models[0]["id"]


@covers("catalogue.stored")
async def test_a_model_that_is_stored_is_listed_and_given_to_agents_and_sessions(everruns: Everruns) -> None:
    services, now = everruns.services, datetime(2030, 1, 2, tzinfo=UTC)
    stored = Model(
        name="quick", provider="sim", model="echo", settings=OWN_CHOICE, prices=None, updated_at=now
    )
    await services.models.put_model(everruns.org, stored)
    [listed] = (await everruns.read("/models", params={"source": "manual"}))["data"]
    assert (listed["model_id"], listed["provider_name"], listed["source"]) == ("sim/echo", "sim", "manual")
    assert listed["display_name"].startswith("quick")
    assert await everruns.read(f"/models/{listed['id']}") == listed
    assert listed in (await everruns.read("/models"))["data"]
    assert listed not in (await everruns.read("/models", params={"source": "predefined"}))["data"]
    session = await everruns.make(model_id=listed["id"])
    assert (session["model_id"], session["status"]) == (listed["id"], "started")
    await everruns.say(session["id"], '[{"say": "a script"}]')
    await everruns.until(session["id"], "session.idled")
    [said] = await everruns.events(session["id"], types="output.message.completed")
    assert said["data"]["message"]["content"][0]["text"] == 'echo: [{"say": "a script"}]'
    assert (await (await everruns.other_org()).read("/models", params={"source": "manual"}))["data"] == []
