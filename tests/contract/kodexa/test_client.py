"""The vendor's own Python client against a server process."""

from tests.contract.kodexa.conftest import Lived
from tests.contract.kodexa.requirements import covers
from tests.contract.kodexa.surface import as_session


@covers(
    "auth.me",
    "auth.overview",
    "create.null-is-absent",
    "delete.gone",
    "error.fields",
    "error.no-redirect",
    "filter.client",
    "filter.organization",
    "list.stream",
    "read.exists",
    "read.own-writes",
    "update.sequence",
    "update.stale",
)
async def test_the_vendors_client_lives_through_everything_it_can_do(lived: Lived) -> None:
    created = as_session(lived["created"])
    assert (created["status"], created["changeSequence"]) == ("ACTIVE", 0)
    assert created["metadata"] == {"executionId": "ex-7"}
    assert created["runtimeSessionId"] == "r" * 36
    changed = {"status": "IDLE", "changeSequence": 1, "updatedOn": lived["updated"]["updatedOn"]}
    assert lived["updated"] == lived["got"] == created | changed
    assert lived["stale"].startswith("Conflict (")
    everything = [created["id"], *lived["made"]]
    assert lived["streamed"] == everything
    assert lived["filtered"] == [lived["made"][3]]
    assert lived["own"] == 11
    assert lived["page"] == [1, 12, 3, False, everything[5:10]]
    assert (lived["exists"], lived["exists_after"]) == (True, False)
    assert lived["missing"].startswith("Not found (")
    assert lived["deleted_again"] == "Component doesn't exist"
    assert lived["left"] == lived["slash"] == 10
    assert lived["bad_value"].startswith("expiresAt: ")
    assert lived["bad_filter"] == "filter: there is no field nothing"
    assert lived["bad_page"].startswith("page: ")
    assert lived["bad_key"].startswith("Unauthorized (")
    assert lived["platform"] == "Sojourn"
    assert lived["me"]
    assert lived["login"] == "KodexaClient"
    assert "401" in lived["bad_login"]
