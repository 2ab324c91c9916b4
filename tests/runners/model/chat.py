"""Chat completions as OpenAI's API streams them, for the loopback provider."""

from collections.abc import Sequence

from tests.runners.model.loopback import Json, Reply, events

MODEL = "gpt-4o-mini"


def chunk(delta: Json, finish_reason: str | None = None, model: str = MODEL) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


def usage(prompt: int, completion: int, cached: int = 0, model: str = MODEL) -> Json:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    counts_and_details = {**counts, "prompt_tokens_details": {"cached_tokens": cached}}
    base: Json = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": []}
    return {**base, "usage": counts_and_details}


def words(*pieces: str) -> Sequence[Json]:
    return [chunk({"role": "assistant", "content": piece}) for piece in pieces]


def answer(*pieces: str) -> Reply:
    return Reply(pieces=events(*words(*pieces), chunk({}, "stop"), usage(11, 7, cached=3)))
