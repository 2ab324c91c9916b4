"""The half of the providers' adapter that needs pydantic-ai; imported on the first model call."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from pydantic_ai.direct import model_request_stream
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider, infer_provider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from sojourn.outgoing import Outgoing
from sojourn.runners.heavy import imported
from sojourn.runners.model.client import ModelAnswer, ModelRequest, TextDelta, TransientModelError
from sojourn.runners.model.failures import configuration_failures, provider_failures
from sojourn.runners.model.stored import StoredProviders
from sojourn.runners.model.translation import (
    inbound_answer,
    inbound_text,
    outbound_messages,
    outbound_parameters,
    outbound_settings,
)


class Endpoint(Protocol):
    """Where an OpenAI-compatible server listens."""

    @property
    def base_url(self) -> str: ...

    @property
    def api_key(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _Open:
    provider: Provider[Any]
    endpoint: Endpoint | None


class DirectCalls:
    """The client of each provider that was asked so far, and the calls made through it.

    A provider's client takes tens of milliseconds to make and keeps its connections, so it is kept; a model on top of
    it takes microseconds and is made for each call.
    """

    def __init__(self, read_timeout_seconds: float, outgoing: Outgoing) -> None:
        # Tries are the loop's business: each is in the log, and the lease is looked after in between.
        self._settings = ModelSettings(timeout=read_timeout_seconds, max_retries=0)
        self._stored = StoredProviders(outgoing, read_timeout_seconds)
        self._open: dict[str, _Open] = {}
        self._opening = asyncio.Lock()

    async def aclose(self) -> None:
        await self._stored.aclose()
        while self._open:
            _, held = self._open.popitem()
            await held.provider.__aexit__(None, None, None)

    async def stream(
        self, request: ModelRequest, provider: str, name: str, endpoint: Endpoint | None
    ) -> AsyncGenerator[TextDelta | ModelAnswer, None]:
        """Ask `name` of `provider`: at `endpoint` if it is given, else where its environment variables say.

        What the organisation has stored goes before both.
        """
        async with AsyncExitStack() as stack:
            with configuration_failures():
                if request.endpoint is None:
                    model = await self._model(provider, name, endpoint)
                else:
                    model = await stack.enter_async_context(self._stored.model(request.endpoint, name))
            async with aclosing(self._ask(model, request, provider, name)) as items:
                async for item in items:
                    yield item

    async def _ask(
        self, model: Model, request: ModelRequest, provider: str, name: str
    ) -> AsyncGenerator[TextDelta | ModelAnswer, None]:
        messages, parameters = outbound_messages(request), outbound_parameters(request)
        settings = self._settings | outbound_settings(request.settings)
        pieces: list[str] = []
        with provider_failures():
            async with model_request_stream(
                model, messages, model_settings=settings, model_request_parameters=parameters
            ) as events:
                async for event in events:
                    if piece := inbound_text(event):
                        pieces.append(piece)
                        yield TextDelta(piece)
                response = events.get()
        if response.state != "complete":
            raise TransientModelError(f"{provider} ended its stream before its answer was complete.")
        answer = inbound_answer(response, "".join(pieces), provider, name)
        if answer.finish_reason == "unknown" and not answer.text and not answer.tool_calls:
            raise TransientModelError(f"{provider} answered nothing and did not say why.")
        yield answer

    async def _model(self, provider: str, name: str, endpoint: Endpoint | None) -> Model:
        if endpoint is not None:
            opened = await self._provider(
                provider, endpoint, partial(_compatible_provider, provider, endpoint)
            )
            return OpenAIChatModel(name, provider=opened)
        opened = await self._provider(provider, None, partial(infer_provider, provider))
        return infer_model(f"{provider}:{name}", provider_factory=lambda _: opened)

    async def _provider(
        self, label: str, endpoint: Endpoint | None, make: Callable[[], Provider[Any]]
    ) -> Provider[Any]:
        async with self._opening:
            held = self._open.get(label)
            if held is not None and held.endpoint == endpoint:
                return held.provider
            if held is not None:
                # A server that was started anew: nothing can still be streaming from the old one.
                await held.provider.__aexit__(None, None, None)
            # A provider's library may take a second to import, and its certificates are read from disk.
            provider = await asyncio.to_thread(imported, make)
            await provider.__aenter__()
            self._open[label] = _Open(provider, endpoint)
            return provider


def _compatible_provider(label: str, endpoint: Endpoint) -> Provider[Any]:
    # llama.cpp always says why it stopped, so a stream that ends without a reason was cut off. Of other servers
    # that speak OpenAI's language some never say.
    profile = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=label == "local")
    return OpenAICompatibleProvider(
        label, base_url=endpoint.base_url, api_key=endpoint.api_key, profile=profile
    )
