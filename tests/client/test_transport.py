import pytest

from sojourn.client import (
    ApiError,
    Client,
    Conflict,
    LimitExceeded,
    RevisionMismatch,
    ServerFailed,
    ServerUnreachable,
    Unavailable,
)
from sojourn.client.errors import error_of
from sojourn.client.retries import Backoff
from tests.client.server import ServerProcess, wire_to


def test_delays_grow_up_to_the_longest_and_start_again_after_a_reset() -> None:
    backoff = Backoff(first_seconds=1.0, longest_seconds=8.0)
    delays = [backoff.next_seconds() for _ in range(40)]
    for delay, full in zip(delays, [1.0, 2.0, 4.0, *[8.0] * 37], strict=True):
        assert full / 2 <= delay <= full
    backoff.reset()
    assert backoff.next_seconds() <= 1.0


def test_a_delay_is_never_shorter_than_what_the_server_advised() -> None:
    assert Backoff(first_seconds=0.1).next_seconds(advice_seconds=7.0) == 7.0


def test_a_problem_document_becomes_the_error_of_its_status() -> None:
    body = b'{"type":"x","title":"t","status":429,"detail":"Slow down.","code":"limit_exceeded","request_id":"r1"}'
    error = error_of(429, body, {"retry-after": "3"})
    assert isinstance(error, LimitExceeded)
    assert (str(error), error.code, error.request_id, error.field) == (
        "Slow down.",
        "limit_exceeded",
        "r1",
        None,
    )
    assert error.retry_after_seconds == 3.0


def test_an_answer_that_is_no_problem_document_is_quoted() -> None:
    error = error_of(502, b"<html>\n  <h1>Bad gateway</h1>", {})
    assert isinstance(error, Unavailable)
    assert (error.code, str(error)) == ("unknown", "HTTP 502: <html> <h1>Bad gateway</h1>")


def test_a_status_without_an_error_of_its_own_has_its_familys() -> None:
    assert type(error_of(507, b"{}", {})) is ServerFailed
    assert type(error_of(418, b"{}", {})) is ApiError
    assert isinstance(error_of(412, b"{}", {}), RevisionMismatch | Conflict)


async def test_a_change_that_would_not_survive_a_repeat_is_not_repeated(
    server: ServerProcess, client: Client
) -> None:
    """Its answer is cut after the server has carried it out: a repeat would meet its own new revision."""
    session = await client.create_session(title="before")
    allowances = iter([1])
    async with (
        wire_to(server.url, lambda: next(allowances, None)) as wire,
        Client(wire.url, server.key) as cut_client,
    ):
        with pytest.raises(ServerUnreachable):
            await cut_client.update_session(session.id, if_revision=session.revision, title="after")
    found = await client.get_session(session.id)
    assert (found.title, found.revision) == ("after", session.revision + 1)


async def test_a_change_that_may_be_repeated_is_repeated_until_it_is_answered(
    server: ServerProcess, client: Client
) -> None:
    session = await client.create_session(title="before")
    allowances = iter([1, 30])
    async with (
        wire_to(server.url, lambda: next(allowances, None)) as wire,
        Client(wire.url, server.key) as cut_client,
    ):
        changed = await cut_client.update_session(session.id, title="after")
    assert wire.cuts == 2
    assert changed.title == "after"
