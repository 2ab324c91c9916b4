import asyncio

from sojourn.web.kit.cork import Cork


class Written(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("client", 1)})
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def turn_of_the_loop() -> None:
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await turned.wait()


async def test_what_is_written_in_one_turn_goes_out_together() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"head ")
    cork.write(b"body")
    assert transport.writes == []
    await turn_of_the_loop()
    cork.write(b"next")
    await turn_of_the_loop()
    assert transport.writes == [b"head body", b"next"]


async def test_closing_writes_what_is_held_first() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"last")
    cork.close()
    await turn_of_the_loop()
    assert (transport.writes, transport.closed) == ([b"last"], True)


async def test_much_is_passed_on_at_once() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"x" * 10_000)
    cork.write(b"x" * 10_000)
    assert [len(written) for written in transport.writes] == [20_000]
    await turn_of_the_loop()
    assert len(transport.writes) == 1


async def test_what_is_held_for_a_client_that_has_gone_is_dropped() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"late")
    transport.closed = True
    await turn_of_the_loop()
    assert transport.writes == []


async def test_everything_else_is_the_transports_own() -> None:
    assert Cork(Written(), asyncio.get_running_loop()).get_extra_info("peername") == ("client", 1)
