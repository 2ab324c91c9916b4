import asyncio
import json
import os
import signal
import sys
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from sojourn.runners.llama import INSTRUCTIONS, MODEL_NAME, LocalModel, LocalModelUnavailable, Progress
from sojourn.runners.llama.weights import FILE
from sojourn.runners.model.client import (
    ContextFull,
    ModelAnswer,
    ModelRequest,
    TextDelta,
    TransientModelError,
)
from sojourn.runners.model.providers import DirectModelClient
from tests.runners.model.conversation import asking, collect, said
from tests.support.programs import gone

pytestmark = pytest.mark.local

OWNER = """
import asyncio, json, sys
from pathlib import Path
from sojourn.runners.llama import LocalModel

async def main():
    async with LocalModel(Path(sys.argv[1])) as model:
        print(json.dumps({"pid": model.pid, "url": model.base_url}), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def question(text: str = "What is a queue?") -> ModelRequest:
    return asking(f"local/{MODEL_NAME}", said(text), instructions=INSTRUCTIONS)


async def answered_by_a_later_try(client: DirectModelClient) -> ModelAnswer:
    """What the loop does: a call may still find the dead server's port before the kernel's word of its end is read."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, answer = await collect(client, question())
            except TransientModelError:
                continue
            return answer


async def test_a_real_answer_is_streamed_word_by_word_at_no_cost(local: LocalModel) -> None:
    client = DirectModelClient(local=local)
    deltas, answer = await collect(client, question())
    await client.aclose()
    assert len(deltas) > 3
    assert "".join(deltas) == answer.text
    assert "queue" in answer.text.lower()
    assert answer.usage.output_tokens >= len(deltas)
    assert answer.usage.input_tokens > 10
    assert answer.usage.cost_usd == Decimal(0)
    assert (answer.provider, answer.model, answer.simulated) == ("local", MODEL_NAME, False)
    assert answer.finish_reason in {"stop", "length"}


async def test_an_answer_has_a_bound_whatever_is_asked(local: LocalModel) -> None:
    client = DirectModelClient(local=local)
    endless = asking(f"local/{MODEL_NAME}", said("Count from 1 to 1000, one number a line."))
    _, answer = await collect(client, endless)
    await client.aclose()
    assert answer.usage.output_tokens <= 256


async def test_a_stream_that_is_given_up_leaves_the_model_to_others(local: LocalModel) -> None:
    client = DirectModelClient(local=local)
    for _ in range(3):
        async with aclosing(client.stream(question("Tell me a long story."))) as items:
            assert isinstance(await anext(items), TextDelta)
    _, answer = await collect(client, question("Say hello."))
    await client.aclose()
    assert answer.text


async def test_a_stranger_on_this_machine_is_turned_away(local: LocalModel) -> None:
    body = {"messages": [{"role": "user", "content": "hello"}]}
    async with httpx2.AsyncClient(base_url=local.base_url) as stranger:
        refused = await stranger.post(
            "/chat/completions", json=body, headers={"authorization": "Bearer guess"}
        )
    assert refused.status_code == 401


async def test_another_local_model_is_a_clear_refusal(local: LocalModel) -> None:
    client = DirectModelClient(local=local)
    with pytest.raises(Exception, match="There is one local model, local/smollm2"):
        await collect(client, asking("local/llama-70b"))


async def test_a_stopped_server_is_gone(models_dir: Path) -> None:
    stages: list[Progress] = []
    async with LocalModel(models_dir, stages.append) as model:
        pid, url = model.pid, model.base_url
        assert pid is not None
    assert [stage.stage for stage in stages if stage.stage in {"loading", "ready"}] == ["loading", "ready"]
    assert model.pid is None
    await gone(pid)
    with pytest.raises(httpx2.ConnectError):
        async with httpx2.AsyncClient() as client:
            await client.get(url)


async def test_a_server_that_crashed_is_started_anew_for_the_next_call(local: LocalModel) -> None:
    client = DirectModelClient(local=local)
    crashed = local.pid
    assert crashed is not None
    async with aclosing(client.stream(question("Tell me a long story."))) as items:
        await anext(items)
        os.kill(crashed, signal.SIGKILL)
        with pytest.raises(TransientModelError):
            async for _ in items:
                pass
    answer = await answered_by_a_later_try(client)
    await client.aclose()
    assert answer.text
    assert local.pid not in {None, crashed}


async def test_the_server_dies_with_a_parent_that_was_killed_and_can_be_started_again(
    models_dir: Path,
) -> None:
    async with LocalModel(models_dir):
        pass  # The weights are there now, so that the owner below starts at once.
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(models_dir)), stdout=asyncio.subprocess.PIPE
    )
    assert owner.stdout is not None
    told = json.loads(await owner.stdout.readline())
    owner.kill()
    await owner.wait()
    await gone(told["pid"])
    async with LocalModel(models_dir) as model:
        assert model.base_url != told["url"]


@pytest.mark.usefixtures("models_dir")
async def test_weights_that_cannot_be_loaded_are_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a model")
    with pytest.raises(
        LocalModelUnavailable, match=r"did not start: .* expected 'GGUF' \(more in .*llama.log\)"
    ):
        await LocalModel(tmp_path).endpoint()


async def test_an_address_is_asked_for_only_after_the_start(tmp_path: Path) -> None:
    model = LocalModel(tmp_path)
    with pytest.raises(LocalModelUnavailable, match="not been started"):
        _ = model.base_url
    await model.stop()


async def test_a_conversation_longer_than_the_model_can_read_is_told_from_other_refusals(
    local: LocalModel,
) -> None:
    client = DirectModelClient(local=local)
    with pytest.raises(ContextFull):
        await collect(client, asking(f"local/{MODEL_NAME}", said("word " * 20_000)))
    await client.aclose()
