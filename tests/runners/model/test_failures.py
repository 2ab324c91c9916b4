import os

import pytest

from sojourn.runners.model.client import (
    ContextFull,
    FatalModelError,
    ModelCallFailed,
    TextDelta,
    TransientModelError,
)
from sojourn.runners.model.providers import CompatibleEndpoint, DirectModelClient
from tests.runners.model import chat
from tests.runners.model.conversation import asking, collect
from tests.runners.model.loopback import LoopbackProvider, Reply, events, failed, loopback_provider

REQUEST = asking("openai-compatible/some-model")
LIMITED = failed(429, {"error": {"message": "slow down"}})
NO_MONEY = failed(429, {"error": {"message": "pay first", "code": "insufficient_quota"}})
TOO_LONG = failed(400, {"error": {"message": "too long", "code": "context_length_exceeded"}})
HTML = Reply(content_type="text/html", pieces=("<html>Welcome to nginx</html>",))
HALF = events(*chat.words("one ", "two "), done="")


async def failure(
    *replies: Reply, model: str = REQUEST.model, read_timeout_seconds: float = 30
) -> tuple[ModelCallFailed, LoopbackProvider]:
    """What one call raises, and the provider that saw it."""
    async with loopback_provider(*replies) as provider:
        endpoint = CompatibleEndpoint(f"{provider.base_url}/v1", "a-key")
        client = DirectModelClient(compatible=endpoint, read_timeout_seconds=read_timeout_seconds)
        with pytest.raises(ModelCallFailed) as raised:
            await collect(client, asking(model))
        await client.aclose()
        return raised.value, provider


async def test_a_rate_limit_is_transient_and_carries_the_wait_that_was_asked_for() -> None:
    error, _ = await failure(failed(429, {"error": {"message": "slow down"}}, retry_after="7"))
    assert isinstance(error, TransientModelError)
    assert error.retry_after_seconds == 7


async def test_a_wait_in_milliseconds_is_carried_too() -> None:
    error, _ = await failure(failed(429, {"error": {"message": "slow down"}}, retry_after_ms="250"))
    assert isinstance(error, TransientModelError)
    assert error.retry_after_seconds == 0.25


async def test_a_conversation_that_is_too_long_is_told_from_what_is_wrong_with_the_request() -> None:
    error, _ = await failure(TOO_LONG)
    assert isinstance(error, ContextFull)
    error, _ = await failure(failed(400, {"error": {"message": "no such parameter"}}))
    assert not isinstance(error, ContextFull)


async def test_a_failed_request_is_not_repeated_behind_the_loop_s_back() -> None:
    _, provider = await failure(LIMITED, LIMITED, LIMITED)
    assert len(provider.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        failed(500, {"error": {"message": "oops"}}),
        failed(503, "<html>down for maintenance</html>"),
        failed(529, {"error": {"type": "overloaded_error"}}),
        failed(408, {"error": {"message": "too slow"}}),
        failed(400, {"error": {"message": "again"}}, x_should_retry="true"),
        Reply(pieces=HALF, then="break"),
        Reply(then="break"),
        Reply(
            pieces=events(
                *chat.words("one "), {"error": {"message": "oops", "type": "server_error"}}, done=""
            )
        ),
    ],
    ids=[
        "500",
        "503",
        "529",
        "408",
        "told to retry",
        "cut",
        "cut before the first byte",
        "error in the stream",
    ],
)
async def test_a_provider_in_trouble_is_transient(reply: Reply) -> None:
    error, _ = await failure(reply)
    assert isinstance(error, TransientModelError)
    assert error.retry_after_seconds is None


@pytest.mark.parametrize(
    "reply",
    [
        failed(400, {"error": {"message": "bad"}}),
        failed(401, {"error": {"message": "no"}}),
        failed(403, {"error": {"message": "no"}}),
        failed(404, {"error": {"message": "what model?"}}),
        failed(422, {"error": {"message": "bad"}}),
        NO_MONEY,
        TOO_LONG,
        failed(500, {"error": {"message": "never"}}, x_should_retry="false"),
    ],
    ids=["400", "401", "403", "404", "422", "no money", "too long", "told not to retry"],
)
async def test_a_request_that_will_fail_again_is_fatal(reply: Reply) -> None:
    error, _ = await failure(reply)
    assert isinstance(error, FatalModelError)


@pytest.mark.parametrize(
    "reply",
    [
        HTML,
        Reply(pieces=()),
        Reply(pieces=("data: {not json\n\n",)),
        Reply(pieces=events([1, 2])),
        Reply(pieces=events({"choices": "none"})),
        Reply(content_type="application/json", pieces=('{"a": 1}',)),
    ],
    ids=["a page", "nothing", "no JSON", "a list", "wrong types", "another object"],
)
async def test_garbage_is_a_failure_and_never_an_answer(reply: Reply) -> None:
    error, _ = await failure(reply)
    assert isinstance(error, TransientModelError)


async def test_the_text_before_a_cut_was_streamed_all_the_same() -> None:
    async with loopback_provider(Reply(pieces=HALF, then="break")) as provider:
        client = DirectModelClient(compatible=CompatibleEndpoint(f"{provider.base_url}/v1"))
        items = client.stream(REQUEST)
        assert await anext(items) == TextDelta("one ")
        assert await anext(items) == TextDelta("two ")
        with pytest.raises(TransientModelError):
            await anext(items)
        await client.aclose()


async def test_a_silent_provider_is_given_up_after_the_read_timeout() -> None:
    error, _ = await failure(Reply(then="hang"), read_timeout_seconds=0.2)
    assert isinstance(error, TransientModelError)


async def test_an_unreachable_provider_is_transient() -> None:
    async with loopback_provider() as provider:
        gone = CompatibleEndpoint(f"{provider.base_url}/v1")
    client = DirectModelClient(compatible=gone)
    with pytest.raises(TransientModelError):
        await collect(client, REQUEST)
    await client.aclose()


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("just-a-name", "provider/name"),
        ("no-such-provider/x", "Unknown provider"),
        ("openai/gpt-5-mini", "OPENAI_API_KEY"),
        ("mistral/small", "mistral"),
        ("openai-compatible/x", "SOJOURN_OPENAI_COMPATIBLE_URL"),
        ("local/smollm2", "No local model"),
    ],
)
async def test_a_wrong_configuration_is_fatal_and_says_what_is_missing(
    model: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("OPENAI_")]:
        monkeypatch.delenv(name)
    client = DirectModelClient()
    with pytest.raises(FatalModelError, match=sentence):
        await collect(client, asking(model))
    await client.aclose()


async def test_a_page_sent_as_an_error_is_shortened() -> None:
    error, _ = await failure(failed(500, "<p>" * 10_000))
    assert len(str(error)) <= 1_000


@pytest.mark.parametrize(
    "model",
    ["openai/gpt-5-mini", "openai-chat:gpt-4o-mini", "anthropic/claude-haiku-4-5", "google/gemini-2.5-flash"],
)
async def test_every_provider_s_rate_limit_and_bad_key_are_told_apart(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = failed(401, {"error": {"message": "who are you?"}})
    limited = failed(429, {"error": {"message": "slow down"}}, retry_after="3")
    async with loopback_provider(limited, refused, Reply(then="break")) as provider:
        point_at(provider, monkeypatch)
        client = DirectModelClient()
        with pytest.raises(TransientModelError) as raised:
            await collect(client, asking(model))
        assert raised.value.retry_after_seconds == 3
        with pytest.raises(FatalModelError):
            await collect(client, asking(model))
        with pytest.raises(TransientModelError):
            await collect(client, asking(model))
        await client.aclose()


def point_at(provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.base_url}/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.base_url)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", provider.base_url)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "a-key")
