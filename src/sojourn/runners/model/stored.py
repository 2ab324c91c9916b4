"""The clients of the providers that organisations have stored. Imports pydantic-ai."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import httpx2
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider

from sojourn.domain.provider import Endpoint
from sojourn.outgoing import Outgoing
from sojourn.outgoing.transport import GuardedTransport
from sojourn.runners.heavy import imported

# Each keeps some connections and half a megabyte; the one that was asked longest ago goes first.
MAX_OPEN: Final = 64
CONNECT_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Open:
    provider: Provider[Any]
    client: httpx2.AsyncClient | None
    users: int = 0


class StoredProviders:
    def __init__(self, outgoing: Outgoing, read_timeout_seconds: float) -> None:
        self._outgoing = outgoing
        self._timeout = httpx2.Timeout(read_timeout_seconds, connect=CONNECT_SECONDS)
        # A changed key or address is another endpoint: what still streams from the old one goes on to its end.
        self._open: OrderedDict[Endpoint, _Open] = OrderedDict()
        self._opening = asyncio.Lock()

    async def aclose(self) -> None:
        while self._open:
            await _close(self._open.popitem()[1])

    @asynccontextmanager
    async def model(self, endpoint: Endpoint, name: str) -> AsyncGenerator[Model]:
        """The model of an endpoint, whose connections stay open within the block."""
        opened = await self._provider(endpoint)
        opened.users += 1
        try:
            yield _model(endpoint, name, opened.provider)
        finally:
            opened.users -= 1

    async def _provider(self, endpoint: Endpoint) -> _Open:
        async with self._opening:
            opened = self._open.get(endpoint)
            if opened is None:
                client = self._client(endpoint)
                # A provider's library may take a second to import, and its certificates are read from disk.
                provider = await asyncio.to_thread(imported, partial(_make, endpoint, client))
                await provider.__aenter__()
                opened = self._open[endpoint] = _Open(provider, client)
            self._open.move_to_end(endpoint)
            await self._close_idle(opened)
            return opened

    async def _close_idle(self, but: _Open) -> None:
        for endpoint, opened in list(self._open.items()):
            if len(self._open) <= MAX_OPEN:
                return
            if not opened.users and opened is not but:
                del self._open[endpoint]
                await _close(opened)

    def _client(self, endpoint: Endpoint) -> httpx2.AsyncClient | None:
        """None for the vendor's own address, which nobody chose: its library goes there in its own way."""
        if endpoint.base_url is None:
            return None
        transport = GuardedTransport(self._outgoing)
        return httpx2.AsyncClient(transport=transport, timeout=self._timeout, trust_env=False)


async def _close(opened: _Open) -> None:
    await opened.provider.__aexit__(None, None, None)
    if opened.client is not None:
        await opened.client.aclose()


def _make(endpoint: Endpoint, client: httpx2.AsyncClient | None) -> Provider[Any]:
    # Each vendor's library is imported for its own providers only.
    match endpoint.kind:
        case "anthropic":
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicProvider(api_key=endpoint.api_key, base_url=endpoint.base_url, http_client=client)
        case "google":
            from pydantic_ai.providers.google import GoogleProvider

            return GoogleProvider(api_key=endpoint.api_key, base_url=endpoint.base_url, http_client=client)
        case "openai":
            from pydantic_ai.providers.openai import OpenAIProvider

            return OpenAIProvider(api_key=endpoint.api_key, base_url=endpoint.base_url, http_client=client)
        case "openai-compatible":
            from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

            assert endpoint.base_url is not None
            # A text in the place of no key, or the library takes the server's from its environment.
            return OpenAICompatibleProvider(
                "openai-compatible",
                base_url=endpoint.base_url,
                api_key=endpoint.api_key or "none",
                http_client=client,
                profile=OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=False),
            )


def _model(endpoint: Endpoint, name: str, provider: Provider[Any]) -> Model:
    if endpoint.kind == "openai-compatible":
        return OpenAIChatModel(name, provider=provider)
    return infer_model(f"{endpoint.kind}:{name}", provider_factory=lambda _: provider)
