import subprocess
import sys
from contextlib import aclosing

import pytest
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from sojourn.domain.content import Message, TextPart, ToolCallPart, ToolResultPart, Usage
from sojourn.runners.model.client import ModelAnswer, TextDelta
from sojourn.runners.model.providers import CompatibleEndpoint, DirectModelClient, configured_providers
from tests.runners.model import chat
from tests.runners.model.conversation import WEATHER, asking, collect, said
from tests.runners.model.loopback import (
    Json,
    LoopbackProvider,
    Reply,
    events,
    loopback_provider,
    named_events,
)
from tests.runners.model.test_failures import point_at

CALLED = Message("assistant", (TextPart("Let me look."), ToolCallPart("t1", "weather", '{"city":"Oslo"}')))
COLD = Message("tool", (ToolResultPart("t1", "weather", "done", "cold"),))


def compatible(provider: LoopbackProvider) -> DirectModelClient:
    return DirectModelClient(compatible=CompatibleEndpoint(f"{provider.base_url}/v1", "a-key"))


async def test_deltas_arrive_one_by_one_and_the_answer_last() -> None:
    async with loopback_provider(chat.answer("Good ", "day", ".")) as provider:
        client = compatible(provider)
        deltas, answer = await collect(client, asking("openai-compatible/gpt-4o-mini"))
        await client.aclose()
    assert deltas == ["Good ", "day", "."]
    assert answer == ModelAnswer(
        text="Good day.",
        tool_calls=(),
        usage=Usage(input_tokens=11, output_tokens=7, cache_read_tokens=3),
        finish_reason="stop",
        provider="openai-compatible",
        model="gpt-4o-mini",
    )


async def test_tool_calls_are_put_together_from_their_pieces() -> None:
    def piece(index: int, arguments: str, **start: str) -> Json:
        function: Json = {"arguments": arguments} | ({"name": start["name"]} if start else {})
        call: Json = {"index": index, "function": function} | (
            {"id": start["id"], "type": "function"} if start else {}
        )
        return chat.chunk({"tool_calls": [call]})

    pieces = [
        piece(0, "", id="t1", name="weather"),
        piece(0, '{"city"'),
        piece(0, ': "Oslo"}'),
        piece(1, '{"city": "Bergen"}', id="t2", name="weather"),
        chat.chunk({}, "tool_calls"),
    ]
    async with loopback_provider(Reply(pieces=events(*pieces))) as provider:
        client = compatible(provider)
        deltas, answer = await collect(client, asking("openai-compatible/m", tools=(WEATHER,)))
        await client.aclose()
    assert deltas == []
    assert answer.tool_calls == (
        ToolCallPart("t1", "weather", '{"city": "Oslo"}'),
        ToolCallPart("t2", "weather", '{"city": "Bergen"}'),
    )
    assert answer.finish_reason == "tool_call"


async def test_instructions_tools_and_the_whole_conversation_are_sent() -> None:
    async with loopback_provider(chat.answer("ok")) as provider:
        client = compatible(provider)
        request = asking(
            "openai-compatible:m",
            said("Oslo?"),
            CALLED,
            COLD,
            said("And now?"),
            instructions="Be brief.",
            tools=(WEATHER,),
        )
        await collect(client, request)
        await client.aclose()
        sent = provider.seen[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer a-key"
    assert sent.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Oslo?"},
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {
                    "id": "t1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "cold"},
        {"role": "user", "content": "And now?"},
    ]
    tools = sent.body["tools"]
    assert tools[0]["function"]["name"] == "weather"
    assert tools[0]["function"]["parameters"]["required"] == ["city"]


async def test_anthropic_gets_a_tool_result_and_the_words_behind_it_in_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start: Json = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-haiku-4-5",
    }
    tool: Json = {"type": "tool_use", "id": "t2", "name": "weather", "input": {}}
    stream = named_events(
        {"type": "message_start", "message": {**start, "usage": {"input_tokens": 20, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Once "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "more."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": tool},
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"city": '},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '"Oslo"}'},
        },
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    )
    async with loopback_provider(Reply(pieces=stream)) as provider:
        point_at(provider, monkeypatch)
        client = DirectModelClient()
        request = asking(
            "anthropic/claude-haiku-4-5", said("Oslo?"), CALLED, COLD, said("And now?"), tools=(WEATHER,)
        )
        deltas, answer = await collect(client, request)
        await client.aclose()
        messages = provider.seen[0].body["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert [part["type"] for part in messages[2]["content"]] == ["tool_result", "text"]
    assert deltas == ["Once ", "more."]
    assert answer.tool_calls == (ToolCallPart("t2", "weather", '{"city": "Oslo"}'),)
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (20, 9)
    assert answer.provider == "anthropic"


async def test_google_streams_text_and_counts_its_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    def part(text: str, **more: object) -> Json:
        content: Json = {"role": "model", "parts": [{"text": text}]}
        return {"candidates": [{"index": 0, "content": content, **more}], "modelVersion": "gemini-2.5-flash"}

    counts = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
    stream = events(part("Good "), part("day.", finishReason="STOP") | {"usageMetadata": counts}, done="")
    async with loopback_provider(Reply(pieces=stream)) as provider:
        point_at(provider, monkeypatch)
        client = DirectModelClient()
        deltas, answer = await collect(client, asking("google/gemini-2.5-flash"))
        await client.aclose()
    assert deltas == ["Good ", "day."]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 2)
    assert answer.finish_reason == "stop"


async def test_openai_s_responses_stream_text(monkeypatch: pytest.MonkeyPatch) -> None:
    item: Json = {"id": "i1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    response: Json = {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5-mini",
        "output": [],
        "tools": [],
    }
    text = {"output_index": 0, "content_index": 0, "item_id": "i1"}
    counts = {
        "input_tokens": 4, "output_tokens": 3, "total_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    done = {**response, "status": "completed", "usage": counts}
    part: Json = {"type": "output_text", "text": "", "annotations": []}
    stream = named_events(
        {"type": "response.created", "sequence_number": 0, "response": {**response, "status": "in_progress"}},
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item},
        {"type": "response.content_part.added", "sequence_number": 2, "part": part, **text},
        {
            "type": "response.output_text.delta",
            "sequence_number": 3,
            "delta": "Good ",
            "logprobs": [],
            **text,
        },
        {"type": "response.output_text.delta", "sequence_number": 4, "delta": "day.", "logprobs": [], **text},
        {"type": "response.completed", "sequence_number": 5, "response": done},
    )
    async with loopback_provider(Reply(pieces=stream)) as provider:
        point_at(provider, monkeypatch)
        client = DirectModelClient()
        deltas, answer = await collect(client, asking("openai/gpt-5-mini"))
        await client.aclose()
        assert provider.seen[0].path == "/v1/responses"
    assert deltas == ["Good ", "day."]
    assert (answer.text, answer.finish_reason, answer.usage.input_tokens) == ("Good day.", "stop", 4)


async def test_a_known_model_is_priced_from_the_price_list(monkeypatch: pytest.MonkeyPatch) -> None:
    async with loopback_provider(chat.answer("hi")) as provider:
        point_at(provider, monkeypatch)
        client = DirectModelClient()
        _, answer = await collect(client, asking("openai-chat/gpt-4o-mini"))
        await client.aclose()
    listed = calc_price(
        PricedUsage(input_tokens=11, output_tokens=7, cache_read_tokens=3),
        "gpt-4o-mini",
        provider_id="openai",
    )
    assert listed.total_price > 0
    assert answer.usage.cost_usd == listed.total_price


async def test_an_unknown_model_has_no_price_rather_than_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    said_hi = chat.chunk({"content": "hi"}, "stop", model="unheard-of")
    unheard_of = Reply(pieces=events(said_hi, chat.usage(1, 1, model="unheard-of")))
    async with loopback_provider(unheard_of) as provider:
        point_at(provider, monkeypatch)
        client = DirectModelClient()
        _, answer = await collect(client, asking("openai-chat/unheard-of"))
        await client.aclose()
    assert answer.usage.cost_usd is None


async def test_an_unknown_server_s_model_is_not_priced_by_its_name() -> None:
    async with loopback_provider(chat.answer("hi")) as provider:
        client = compatible(provider)
        _, answer = await collect(client, asking("openai-compatible/gpt-4o-mini"))
        await client.aclose()
    assert answer.usage.cost_usd is None


async def test_a_stream_without_counts_has_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    uncounted = Reply(pieces=events(chat.chunk({"content": "hi"}, "stop")))
    async with loopback_provider(uncounted) as provider:
        point_at(provider, monkeypatch)
        client = DirectModelClient()
        _, answer = await collect(client, asking("openai-chat/gpt-4o-mini"))
        await client.aclose()
    assert answer.usage == Usage(cost_usd=None)


async def test_a_stream_that_is_given_up_ends_the_request() -> None:
    endless = Reply(pieces=events(*chat.words("one "), done=""), then="hang")
    async with loopback_provider(endless) as provider:
        client = compatible(provider)
        async with aclosing(client.stream(asking("openai-compatible/m"))) as items:
            assert await anext(items) == TextDelta("one ")
        await provider.client_left.wait()
        await client.aclose()


async def test_calls_to_one_provider_share_its_connection() -> None:
    async with loopback_provider(chat.answer("one"), chat.answer("two")) as provider:
        client = compatible(provider)
        await collect(client, asking("openai-compatible/a"))
        await collect(client, asking("openai-compatible/b"))
        await client.aclose()
        assert [seen.body["model"] for seen in provider.seen] == ["a", "b"]
        assert provider.connections == 1


def test_importing_the_client_does_not_import_pydantic_ai() -> None:
    code = "import sys, sojourn.runners.model.providers; print('pydantic_ai' in sys.modules, 'openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_an_endpoint_comes_from_the_environment_or_not_at_all() -> None:
    assert CompatibleEndpoint.from_environment({}) is None
    both = {"SOJOURN_OPENAI_COMPATIBLE_URL": "http://h/v1", "SOJOURN_OPENAI_COMPATIBLE_KEY": "k"}
    assert CompatibleEndpoint.from_environment(both) == CompatibleEndpoint("http://h/v1", "k")


def test_a_provider_is_configured_by_the_key_that_its_library_reads() -> None:
    environment = {
        "ANTHROPIC_API_KEY": "k",
        "OPENAI_API_KEY": "",
        "GEMINI_API_KEY": "g",
        "OTHER_API_KEY": "o",
    }
    assert configured_providers(environment) == {"anthropic", "google"}
    assert configured_providers({}) == frozenset()
