import pytest

from sojourn.runners.model.client import FatalModelError
from sojourn.runners.model.reference import split_model


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("openai/gpt-5-mini", ("openai", "gpt-5-mini")),
        ("openai:gpt-5-mini", ("openai", "gpt-5-mini")),
        ("openrouter/anthropic/claude-haiku-4-5", ("openrouter", "anthropic/claude-haiku-4-5")),
        ("ollama/llama3:8b", ("ollama", "llama3:8b")),
        ("ollama:library/llama3:8b", ("ollama", "library/llama3:8b")),
    ],
)
def test_a_reference_is_parted_at_the_first_mark(model: str, parts: tuple[str, str]) -> None:
    assert split_model(model) == parts


@pytest.mark.parametrize("model", ["", "gpt-5-mini", "/gpt-5-mini", "openai/", ":", "a" * 10_000])
def test_what_is_no_reference_is_refused_in_few_words(model: str) -> None:
    with pytest.raises(FatalModelError) as raised:
        split_model(model)
    assert len(str(raised.value)) < 300
