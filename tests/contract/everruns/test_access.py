from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, absent, as_problem, as_session, id_of

MALFORMED = ["x", "session_", "agent_" + "0" * 32, "session_" + "A" * 32, "0" * 32]


@covers("session.get", "mounts.both")
async def test_a_session_that_was_made_elsewhere_is_read_at_both_mounts(everruns: Everruns) -> None:
    path = "/sessions/" + id_of("session", await everruns.native())
    session = as_session(await everruns.read(path))
    assert session["status"] == "started"
    assert session["organization_id"] == "org_00000000000000000000000000000001"
    other = as_session(await everruns.read("/api/v1" + path))
    assert other["self_url"] == str(everruns.http.base_url).rstrip("/") + "/api/v1" + path
    links = {"self_url", "allowed_actions"}
    assert {name for name in session if session[name] != other[name]} == links


@covers("session.ids")
async def test_a_malformed_id_is_another_failure_than_an_unknown_one(everruns: Everruns) -> None:
    for id in MALFORMED:
        problem = await everruns.refused(400, "GET", f"/sessions/{id}")
        assert problem["detail"] == f"Invalid session ID: {id}"
        unknown = absent("session")
        problem = await everruns.refused(404, "GET", f"/sessions/{unknown}")
        assert (problem["title"], problem["code"]) == ("Session not found", "session_not_found")
        assert unknown in problem["detail"]


@covers("auth.raw", "auth.org-header")
async def test_the_key_is_taken_raw_and_as_a_bearer_token(everruns: Everruns) -> None:
    path = "/sessions/" + id_of("session", await everruns.native())
    for value in (everruns.key, f"Bearer {everruns.key}", f"bearer  {everruns.key}"):
        await everruns.read(path, headers={"authorization": value, "x-org-id": absent("org")})


@covers("auth.missing")
async def test_without_a_good_key_nothing_is_answered(everruns: Everruns) -> None:
    path = f"/v1/sessions/{absent('session')}"
    for headers in ({}, {"authorization": "wrong"}, {"authorization": "Bearer"}, {"authorization": "a b"}):
        problem = as_problem(await everruns.http.get(path, headers=headers), 401)
        assert problem["code"] == "unauthorized"


@covers("auth.org")
async def test_another_organisations_session_is_not_found(everruns: Everruns) -> None:
    path = "/sessions/" + id_of("session", await everruns.native())
    other = await everruns.other_org()
    problem = await other.refused(404, "GET", path)
    assert problem["code"] == "session_not_found"


@covers("auth.reason")
async def test_a_reason_for_a_change_is_bounded(everruns: Everruns) -> None:
    path = "/sessions/" + id_of("session", await everruns.native())
    for reason in ("because", "%20" * 2000 + "%C3%A9" * 1000):
        await everruns.read(path, headers={"everruns-change-reason": reason})
    for reason in ("x" * 1001, "%ff"):
        headers = {"everruns-change-reason": reason}
        problem = await everruns.refused(400, "GET", path, headers=headers)
        assert problem["code"] == "invalid_change_reason"


@covers("error.hybrid", "error.framework")
async def test_unknown_paths_and_methods_fail_in_the_dialects_shape(everruns: Everruns) -> None:
    problem = await everruns.refused(404, "GET", "/nothing")
    assert problem["instance"] == "/v1/nothing"
    await everruns.refused(404, "GET", "/sessions/%00")
    answer = await everruns.ask("POST", "/sessions", content=b" " * (8 * 1024 * 1024 + 1))
    assert as_problem(answer, 413)["code"] == "body_too_large"
    answer = await everruns.ask("PUT", f"/sessions/{absent('session')}")
    as_problem(answer, 405)
    assert "GET" in answer.headers["allow"]


@covers("auth.role")
async def test_a_workers_key_reads_and_changes_nothing(everruns: Everruns) -> None:
    worker = await everruns.role("reporter")
    path = "/sessions/" + id_of("session", await everruns.native())
    await worker.read(path)
    problem = await worker.refused(403, "POST", "/sessions", json={})
    assert problem["code"] == "forbidden"
    await worker.refused(403, "DELETE", path)
