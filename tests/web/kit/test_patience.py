import asyncio

import pytest
from starlette.types import Message

from sojourn.web.kit.patience import unless_gone
from sojourn.web.kit.refusals import ClientGone
from sojourn.web.kit.request import Request
from tests.web.kit.requests import request_of

GONE: Message = {"type": "http.disconnect"}


def patient_request() -> tuple[Request, asyncio.Queue[Message]]:
    """A request whose server says what is put into the queue."""
    said: asyncio.Queue[Message] = asyncio.Queue()
    return Request(request_of().scope, said.get), said


class Work:
    def __init__(self) -> None:
        self.begun, self.may_end, self.let_go = asyncio.Event(), asyncio.Event(), False

    async def run(self) -> str:
        try:
            self.begun.set()
            await self.may_end.wait()
            return "done"
        finally:
            self.let_go = True


async def test_work_that_ends_in_time_is_answered() -> None:
    request, _ = patient_request()
    work = Work()
    work.may_end.set()
    assert await unless_gone(request, work.run()) == "done"


async def test_what_work_raises_is_raised() -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await unless_gone(patient_request()[0], fail())


async def test_work_for_a_client_that_has_gone_is_cancelled_and_has_let_go() -> None:
    request, said = patient_request()
    work = Work()
    waiting = asyncio.create_task(unless_gone(request, work.run()))
    await work.begun.wait()
    said.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    said.put_nowait(GONE)
    with pytest.raises(ClientGone):
        await waiting
    assert work.let_go


async def test_work_is_cancelled_with_whoever_waits_for_it() -> None:
    work = Work()
    waiting = asyncio.create_task(unless_gone(patient_request()[0], work.run()))
    await work.begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.let_go


async def test_a_server_that_fails_to_say_is_not_taken_for_a_client_that_goes() -> None:
    with pytest.raises(IndexError):
        await unless_gone(request_of(), Work().run())
