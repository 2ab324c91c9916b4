"""What is written by hand for either client: how it lets time pass, and how it reads a body as it comes."""

import time
from collections.abc import Generator

import httpx2


def pause(seconds: float) -> None:
    time.sleep(seconds)


def chunks_of(response: httpx2.Response) -> Generator[bytes, None, None]:
    yield from response.iter_bytes()
