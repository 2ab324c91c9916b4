"""What is written by hand for either client: how it lets time pass, and how it reads a body as it comes."""

import asyncio
from collections.abc import AsyncGenerator

import httpx2


async def pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


def chunks_of(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    return response.aiter_bytes()
