"""Every provider's models behind one client, through `pydantic_ai.direct`.

Importing this module is free: pydantic-ai and a provider's own library take a second or two, and are imported in a
thread by the first call that needs them.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sojourn.outgoing import Outgoing
from sojourn.runners.heavy import imported
from sojourn.runners.llama import MODEL_NAME, LocalModel, LocalModelUnavailable
from sojourn.runners.model.client import FatalModelError, ModelAnswer, ModelRequest, TextDelta
from sojourn.runners.model.reference import COMPATIBLE, LOCAL, split_model

if TYPE_CHECKING:
    from sojourn.runners.model.direct import DirectCalls, Endpoint


# Where each library looks for its key.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "moonshotai": ("MOONSHOTAI_API_KEY",),
}


def configured_providers(environment: Mapping[str, str]) -> frozenset[str]:
    """The providers, of those whose models vendors' clients ask for, that this process has a key and a library for."""
    if find_spec("pydantic_ai") is None:
        return frozenset()
    return frozenset(name for name, keys in _KEYS.items() if any(environment.get(key) for key in keys))


@dataclass(frozen=True, slots=True)
class CompatibleEndpoint:
    """A server that speaks OpenAI's chat completions. The base URL includes `/v1`; the key is None if it needs none."""

    base_url: str
    api_key: str | None = None

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "CompatibleEndpoint | None":
        """What `SOJOURN_OPENAI_COMPATIBLE_URL` and `SOJOURN_OPENAI_COMPATIBLE_KEY` say, or None without a URL."""
        url = environment.get("SOJOURN_OPENAI_COMPATIBLE_URL")
        return CompatibleEndpoint(url, environment.get("SOJOURN_OPENAI_COMPATIBLE_KEY")) if url else None


class DirectModelClient:
    """A `ModelClient` for `local/smollm2`, `openai-compatible/NAME` and each provider that pydantic-ai knows.

    A provider's credentials are in the environment, under the names that its own library reads.
    """

    def __init__(
        self,
        outgoing: Outgoing | None = None,
        *,
        local: LocalModel | None = None,
        compatible: CompatibleEndpoint | None = None,
        read_timeout_seconds: float = 300.0,
    ) -> None:
        """`outgoing` leads to the providers that organisations have stored, to public addresses without it.

        `local` is started by the first call to it, and stays its owner's to stop.

        A provider that sends nothing for `read_timeout_seconds` counts as failed.
        """
        self._outgoing = outgoing or Outgoing(allow_private=False)
        self._local = local
        self._compatible = compatible
        self._read_timeout_seconds = read_timeout_seconds
        self._calls: DirectCalls | None = None
        self._importing = asyncio.Lock()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | ModelAnswer, None]:
        provider, name = split_model(request.model)
        endpoint = None if request.endpoint is not None else await self._endpoint(provider, name)
        calls = await self._direct_calls()
        async with aclosing(calls.stream(request, provider, name, endpoint)) as items:
            async for item in items:
                yield item

    async def aclose(self) -> None:
        """Close the connections to the providers."""
        if self._calls is not None:
            await self._calls.aclose()

    async def _endpoint(self, provider: str, name: str) -> "Endpoint | None":
        if provider == LOCAL:
            return await self._local_endpoint(name)
        if provider == COMPATIBLE:
            if self._compatible is None:
                raise FatalModelError(
                    "No OpenAI-compatible server is configured: set SOJOURN_OPENAI_COMPATIBLE_URL."
                )
            return self._compatible
        return None

    async def _local_endpoint(self, name: str) -> "Endpoint":
        if self._local is None:
            raise FatalModelError("No local model is configured here.")
        if name != MODEL_NAME:
            raise FatalModelError(
                f"There is one local model, {LOCAL}/{MODEL_NAME}; there is no {name[:200]!r}."
            )
        try:
            return await self._local.endpoint()
        except LocalModelUnavailable as error:
            raise FatalModelError(str(error)) from error

    async def _direct_calls(self) -> "DirectCalls":
        async with self._importing:
            if self._calls is None:
                load = partial(_import_calls, self._read_timeout_seconds, self._outgoing)
                self._calls = await asyncio.to_thread(imported, load)
            return self._calls


def _import_calls(read_timeout_seconds: float, outgoing: Outgoing) -> "DirectCalls":
    try:
        from sojourn.runners.model.direct import DirectCalls
    except ImportError as error:
        raise FatalModelError(
            f"Asking a provider needs `pip install 'sojourn[agents]'` ({error})."
        ) from error
    return DirectCalls(read_timeout_seconds, outgoing)
