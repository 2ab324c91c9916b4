"""Answers that no well-behaved app gives, and what the runner sends."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path

import pytest

from sojourn.domain.actor import Actor
from sojourn.domain.ids import DEFAULT_ORG
from sojourn.domain.kinds import Json
from sojourn.domain.log import StoredEvent
from sojourn.domain.runner_config.http import SESSION_HEADER
from sojourn.service.budgets import NewBudget
from tests.runners.http.sessions import (
    ended,
    is_end,
    is_shown,
    more,
    new_agent,
    new_session,
    read_to,
    said,
    say,
    types,
    until,
    watch,
)
from tests.runners.model.loopback import LoopbackProvider, Reply, events, failed, loopback_provider
from tests.web.served import Served, open_served

HEALTHY = Reply(content_type="application/json", pieces=('{"status":"Healthy"}',))
GOOD = Reply(content_type="application/json", pieces=('{"result":"good"}',))


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Served]:
    monkeypatch.setenv("SOJOURN_AGENT_KEY", "s3cret")
    async with open_served(tmp_path, private_agents=True) as served:
        yield served


@asynccontextmanager
async def scripted(*replies: Reply) -> AsyncGenerator[LoopbackProvider]:
    async with loopback_provider(*replies) as app:
        app.standing["/ping"] = HEALTHY
        yield app


async def test_headers_come_from_the_agent_and_their_secrets_from_the_environment(served: Served) -> None:
    async with scripted(GOOD) as app:
        headers: Json = {"Authorization": "Bearer env:SOJOURN_AGENT_KEY", "X-Stage": "test"}
        session = await say(served, await new_agent(served, app.base_url, headers=headers), "hello")
        items = await ended(served, session)
    (seen,) = app.seen
    assert seen.path == "/invocations"
    assert seen.headers["authorization"] == "Bearer s3cret"
    assert seen.headers["x-stage"] == "test"
    assert seen.headers[SESSION_HEADER.lower()] == str(session)
    assert types(items)[-1] == "turn.completed"
    assert "s3cret" not in repr(items)


async def test_a_stored_secret_is_sent_in_a_header_and_one_that_is_gone_fails_the_turn(
    served: Served,
) -> None:
    async with scripted(GOOD) as app:
        stored = await served.client.put("secrets/app", json={"value": "v3ry-secret"})
        assert stored.status_code == 200, stored.text
        agent = await new_agent(served, app.base_url, headers={"Authorization": "Bearer secret://app"})
        items = await ended(served, await say(served, agent, "hello"))
        assert (await served.client.delete("secrets/app")).status_code == 204
        failed_items = await ended(served, await say(served, agent, "hello"))
    (seen,) = app.seen
    assert seen.headers["authorization"] == "Bearer v3ry-secret"
    assert types(items)[-1] == "turn.completed"
    assert "v3ry-secret" not in repr(items)
    assert said(failed_items, "turn.failed")[0]["error"] == "There is no secret secret://app."


async def test_a_variable_that_is_not_set_fails_the_turn(served: Served) -> None:
    async with scripted() as app:
        agent = await new_agent(served, app.base_url, headers={"X-Api-Key": "env:SOJOURN_AGENT_OTHER"})
        items = await ended(served, await say(served, agent, "hello"))
    assert said(items, "turn.failed")[0]["error"] == "The server's environment has no SOJOURN_AGENT_OTHER."


async def test_an_app_that_is_busy_for_a_moment_is_asked_again(served: Served) -> None:
    async with scripted(failed(503, {"error": "later"}, retry_after="0"), GOOD) as app:
        items = await ended(served, await say(served, await new_agent(served, app.base_url), "hello"))
    assert types(items)[-1] == "turn.completed"
    assert said(items, "turn.retried")[0]["error"] == "The app answered 503: later"
    assert len(app.seen) == 2


@pytest.mark.parametrize("clock", [None, datetime(2008, 1, 1, tzinfo=UTC)], ids=["ours", "the app's"])
async def test_an_app_that_names_the_time_of_the_next_try_is_not_asked_before(
    served: Served, clock: datetime | None
) -> None:
    later = format_datetime((clock or datetime.now(UTC)) + timedelta(minutes=30), usegmt=True)
    own = {} if clock is None else {"date": format_datetime(clock, usegmt=True)}
    async with scripted(failed(429, {"error": "later"}, retry_after=later, **own)) as app:
        session = await say(served, await new_agent(served, app.base_url), "hello")
        items = await until(served, session, "turn.retried")
    (retried,) = [item for item in items if isinstance(item, StoredEvent) and item.type == "turn.retried"]
    retry_at = datetime.fromisoformat(said(items, "turn.retried")[0]["retry_at"])
    assert timedelta(minutes=29) < retry_at - retried.at <= timedelta(minutes=30)


async def test_halves_of_a_character_are_joined_and_the_word_at_the_end_of_a_stream_is_no_text(
    served: Served,
) -> None:
    pieces = ('data: {"text": "so \\ud83d"}\n\n', 'data: {"text": "\\ude00"}\n\n', "data: [DONE]\n\n")
    async with scripted(Reply(pieces=pieces)) as app:
        items = await ended(served, await say(served, await new_agent(served, app.base_url), "hello"))
    assert [each["text"] for each in said(items, "message.completed")] == ["so \U0001f600"]


BROKEN = Reply(pieces=events("half", done=""), then="break")


async def test_a_connection_that_breaks_fails_the_turn_as_the_work_may_be_done(served: Served) -> None:
    async with scripted(BROKEN) as app:
        items = await ended(served, await say(served, await new_agent(served, app.base_url), "hello"))
    assert said(items, "turn.failed")[0]["error"].endswith("Whether it has done its work is not known.")
    assert types(items)[-2:] == ["message.abandoned", "turn.failed"]
    assert len(app.seen) == 1


@pytest.mark.parametrize("lost", [BROKEN, failed(504, "gateway")])
async def test_an_idempotent_app_is_asked_again_after_its_answer_was_lost(
    served: Served, lost: Reply
) -> None:
    async with scripted(lost, GOOD) as app:
        agent = await new_agent(served, app.base_url, idempotent=True)
        items = await ended(served, await say(served, agent, "hello"))
    assert [each["text"] for each in said(items, "message.completed")] == ["good"]
    assert types(items).count("message.abandoned") == 1
    assert len(app.seen) == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (failed(400, {"error": "Invalid JSON", "details": "x"}), "The app answered 400: Invalid JSON"),
        (failed(404, ""), "The app answered 404."),
        (failed(302, "elsewhere", location="http://127.0.0.1:1/"), "The app answered 302: elsewhere"),
        (Reply(content_type="application/json", pieces=("{",)), "The app's answer is not JSON."),
        (Reply(content_type="application/json", pieces=('{"error":"no"}',)), "no"),
        (
            Reply(content_type="image/png", pieces=("x",)),
            "The app answered with image/png, which is no text.",
        ),
        (Reply(pieces=("event: error\ndata: boom\n\n",)), "boom"),
        (Reply(pieces=("x" * 600, "y" * 600)), "The app's answer is larger than 1000 bytes."),
        (
            Reply(content_type="text/plain", pieces=("x" * 1001,)),
            "The app's answer is larger than 1000 bytes.",
        ),
    ],
)
async def test_an_answer_of_no_use_fails_the_turn_and_says_why(
    served: Served, reply: Reply, error: str
) -> None:
    async with scripted(reply) as app:
        agent = await new_agent(served, app.base_url, max_answer_bytes=1000)
        items = await ended(served, await say(served, agent, "hello"))
    assert said(items, "turn.failed") == [{"reason": "error", "error": error}]


async def test_an_answer_that_takes_too_long_fails_the_turn(served: Served) -> None:
    async with scripted(Reply(pieces=events("one", done=""), then="hang")) as app:
        agent = await new_agent(served, app.base_url, timeout_seconds=0.2)
        items = await ended(served, await say(served, agent, "hello"))
        await app.client_left.wait()
    assert "did not answer within 0.2 s" in said(items, "turn.failed")[0]["error"]


async def test_an_interrupt_closes_the_connection_to_the_app(served: Served) -> None:
    async with scripted(Reply(pieces=events("one", done=""), then="hang")) as app:
        session = await new_session(served, await new_agent(served, app.base_url))
        async with aclosing(await watch(served, session)) as feed:
            await more(served, session, "hello")
            await read_to(feed, is_shown)
            await served.services.turns.interrupt(DEFAULT_ORG, session, Actor("human"))
            items = await read_to(feed, is_end)
        await app.client_left.wait()
    assert types(items)[-1] == "turn.cancelled"


async def test_an_app_at_a_private_address_is_not_asked_unless_the_server_is_set_to(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, scripted() as app:
        items = await ended(served, await say(served, await new_agent(served, app.base_url), "hello"))
    assert "private" in said(items, "turn.failed")[0]["error"]
    assert app.connections == 0


async def test_a_later_turn_sends_its_own_prompt(served: Served) -> None:
    async with scripted(GOOD, GOOD) as app:
        session = await say(served, await new_agent(served, app.base_url, prompt_field="input"), "one")
        await ended(served, session)
        await more(served, session, "two")
        async with aclosing(await watch(served, session)) as feed:
            await read_to(feed, is_end)
            await read_to(feed, is_end)
    assert [seen.body for seen in app.seen] == [{"input": "one"}, {"input": "two"}]


async def test_an_agent_that_its_runner_could_not_use_is_refused(served: Served) -> None:
    body = {"name": "refused", "runner": "http", "runner_config": {"url": "ftp://a.example"}}
    answer = await served.client.post("agents", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "runner_config.url")


async def test_a_budget_that_an_app_has_used_up_keeps_it_from_being_asked_again(served: Served) -> None:
    used = Reply(
        content_type="application/json",
        pieces=('{"result":"a","usage":{"input_tokens":3,"output_tokens":5}}',),
    )
    async with scripted(used, GOOD) as app:
        session = await new_session(served, await new_agent(served, app.base_url))
        budget = NewBudget(currency="tokens", limit=Decimal(7), soft_limit=None)
        await served.services.budgets.create(DEFAULT_ORG, session, budget, Actor("human"))
        async with aclosing(await watch(served, session)) as feed:
            await more(served, session, "one")
            assert types(await read_to(feed, is_end))[-1] == "turn.completed"
            await more(served, session, "two")
            items = await read_to(feed, is_end)
    assert said(items, "turn.failed")[0]["reason"] == "budget"
    assert "model.called" not in types(items)
    assert len(app.seen) == 1
